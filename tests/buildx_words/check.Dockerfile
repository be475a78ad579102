# check=experimental=InvalidDefinitionDescription
# another
ARG FIRST=1
ARG EMPTY
FROM scratch as Base
maintainer someone
WORKDIR relative
ENV TOKEN token
ENV PATH=$PAHT
LABEL a b
RUN ["x"] \

CMD one
CMD two
ENTRYPOINT three
EXPOSE 80/TCP 127.0.0.1:81:82
COPY ignored /

FROM --platform=linux/amd64 scratch AS base
COPY --exclude=a x* /
FROM --platform=$TARGETPLATFORM scratch AS context
FROM scratch${FIRTS:-} AS last
ARG API_KEY=1
HEALTHCHECK CMD x
HEALTHCHECK NONE
