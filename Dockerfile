# syntax=docker/dockerfile:1

FROM python:3.13-slim-bookworm AS build
RUN pip install --no-cache-dir uv==0.13.9
ENV UV_PYTHON_DOWNLOADS=never \
    UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1
WORKDIR /srv/connector
# Dependencies first: this layer changes only with the lock. The embedded Postgres stays out of the image.
COPY pyproject.toml uv.lock README.md ./
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-dev --extra otel --no-install-project
COPY alembic.ini ./
COPY app app
COPY sandbox sandbox
COPY migrations migrations
# Editable, because migrations are found beside the package.
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-dev --extra otel

FROM python:3.13-slim-bookworm
RUN groupadd --system --gid 10001 connector \
    && useradd --system --uid 10001 --gid connector --no-create-home --home-dir /nonexistent connector
# Owned by root: the service can not change its own code.
COPY --from=build /srv/connector /srv/connector
WORKDIR /srv/connector
ENV PATH=/srv/connector/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    CONNECTOR_HOST=0.0.0.0 \
    CONNECTOR_PORT=8080
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
# For serve; a worker has no port: switch the check off there, as compose.yaml does.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['CONNECTOR_PORT']}/health/live\", timeout=2)"]
ENTRYPOINT ["connector"]
CMD ["serve"]
