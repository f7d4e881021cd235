"""The 360° view of a relationship manager through the gateway, against the floor.

One view asks four services, of profile fifteen parts. The mark is a p95 of 30 ms at 100 a second.
"""

from dataclasses import replace
from typing import Any

from bench import recommendations
from bench.floor import Floor
from bench.plan import Plan
from bench.product import Product

RATE = 100.0


def run(product: Product, floor: Floor, plan: Plan) -> dict[str, Any]:
    """Measure, and return figures by contender and the ratios between them."""
    paths = [f"/v1/customers/{each}/view?for=rm" for each in recommendations.ids(product)]
    at_the_marks_rate = replace(plan, rate=min(plan.rate, RATE))
    return recommendations.meet(product, floor, at_the_marks_rate, paths)
