# One image for the gateway, the four servers and the four workers; the command says which.
FROM python:3.11-slim AS build
WORKDIR /app
COPY requirements.lock pyproject.toml README.md ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir -r requirements.lock
COPY shared shared
COPY gateway gateway
COPY services services
COPY bihuan bihuan
RUN /venv/bin/pip install --no-cache-dir --no-deps -e .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /app bihuan
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
COPY catalogue catalogue
COPY docs docs
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1
USER 10001
CMD ["python", "-m", "gateway.main"]
