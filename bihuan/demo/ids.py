"""The ids of the demonstration bank's customers."""


def customer_id(number: int) -> str:
    """Id of the customer of a number from 1 on."""
    return f"C{number:08}"
