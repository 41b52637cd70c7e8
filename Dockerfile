# One image for every service. Built twice over: the first stage has pip, the second only what it installed.
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/undercroft
WORKDIR /source
COPY requirements.txt ./
RUN /opt/undercroft/bin/python -m pip install -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY undercroft ./undercroft
COPY ingest ./ingest
COPY risk ./risk
COPY duty ./duty
COPY api ./api
COPY dashboards ./dashboards
COPY simulators ./simulators
RUN /opt/undercroft/bin/python -m pip install --no-deps --no-build-isolation .

FROM python:3.11.14-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin undercroft \
    && install --directory --owner=10001 --mode=700 /var/lib/undercroft
COPY --from=build /opt/undercroft /opt/undercroft
ENV PATH=/opt/undercroft/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /tmp
ENTRYPOINT ["undercroft"]
CMD ["--help"]
