# The load-test agent: `make image` builds the wheel and then this. Nothing in it depends on when it is built.
ARG PYTHON_IMAGE=python:3.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
COPY requirements.lock /build/
RUN python -m venv --without-pip /opt/mattermost-load-test
RUN python -m pip --python /opt/mattermost-load-test/bin/python install --disable-pip-version-check --no-compile --require-hashes --requirement /build/requirements.lock
# Compiled here, since an agent cannot write it; by the sources' hashes, since their times differ from build to build.
RUN /opt/mattermost-load-test/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/mattermost-load-test/lib
COPY dist/*.whl /build/
RUN python -m pip --python /opt/mattermost-load-test/bin/python install --disable-pip-version-check --no-compile --no-deps /build/*.whl
RUN /opt/mattermost-load-test/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/mattermost-load-test/lib/python3*/site-packages/mattermost_load_test

FROM ${PYTHON_IMAGE}
COPY --from=build /opt/mattermost-load-test /opt/mattermost-load-test
ENV PATH=/opt/mattermost-load-test/bin:/usr/local/bin:/usr/bin:/bin
ENV HOME=/work
RUN install -d -o 10001 -g 10001 /work
WORKDIR /work
USER 10001:10001
ENTRYPOINT ["loadtest"]
