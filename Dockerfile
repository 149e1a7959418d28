# pizhu with Label Studio in an environment of its own, as compose.yaml runs them.
# Debian's release decides the version of pg_dump: it must not be older than the PostgreSQL of compose.yaml.
FROM python:3.11-slim-bookworm

ARG EXTRAS=label,serve,train

RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/*

ENV PIZHU_LABEL_STUDIO_ENV=/opt/label-studio

# As base/silence.py has it: whatever runs in here reports to nobody.
ENV ORT_DISABLE_TELEMETRY=1 RAY_USAGE_STATS_ENABLED=0 HF_HUB_DISABLE_TELEMETRY=1 DO_NOT_TRACK=1 HF_HUB_OFFLINE=1

COPY . /opt/pizhu
RUN pip install --no-cache-dir --constraint /opt/pizhu/constraints.txt "/opt/pizhu[$EXTRAS]" \
    && pizhu label serve --install-only

RUN useradd --uid 1000 --create-home pizhu && install --directory --mode 700 --owner pizhu /data
USER pizhu
VOLUME /data
ENTRYPOINT ["pizhu"]
