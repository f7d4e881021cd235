# One image for the gateway, the four servers and the four workers; the command says which.
FROM python:3.11-slim AS build
WORKDIR /build
COPY requirements.lock pyproject.toml ./
# what runs, in the versions of the lock; the tools of developers stay outside
RUN python -m venv /venv \
 && python -c "import tomllib; project = tomllib.load(open('pyproject.toml', 'rb'))['project']; print(*project['dependencies'], *project['optional-dependencies']['linkage'], sep='\n')" > wanted \
 && /venv/bin/pip install --no-cache-dir --constraint requirements.lock --requirement wanted

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /app bihuan
WORKDIR /app
COPY --from=build /venv /venv
COPY shared shared
COPY gateway gateway
COPY services services
COPY bihuan bihuan
COPY catalogue catalogue
COPY docs docs
ENV PATH=/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1 \
    ARROW_DEFAULT_MEMORY_POOL=system
USER 10001
CMD ["python", "-m", "gateway.main"]
