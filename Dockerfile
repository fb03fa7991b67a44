# Umbel's workers, turns-workers, HTTP API and Flower: one image, and the command says which.
#
# Everything that is installed has one of the hashes in requirements/. There is no HEALTHCHECK: what is healthy
# differs by command, and a worker that hangs notices that itself.

FROM python:3.13-slim AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /src

RUN python -m venv /opt/umbel && python -m venv /opt/build
COPY requirements/runtime.txt requirements/build.txt requirements/
RUN /opt/umbel/bin/pip install --require-hashes -r requirements/runtime.txt \
    && /opt/build/bin/pip install --require-hashes -r requirements/build.txt

COPY pyproject.toml README.md LICENSE ./
COPY actions actions
COPY orchestrator orchestrator
COPY workers workers
COPY umbel umbel
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/umbel/bin/pip install --no-deps --no-index dist/*.whl

FROM python:3.13-slim

RUN useradd --create-home --uid 10001 umbel
COPY --from=build /opt/umbel /opt/umbel

ENV PATH=/opt/umbel/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER umbel
WORKDIR /home/umbel

# Celery's warm shutdown: claim nothing more, finish within the grace, hand the rest back.
STOPSIGNAL SIGTERM
CMD ["umbel", "--help"]
