#!/bin/sh
# Makes the certificates of the pool in a folder, with openssl:
#   ca.pem, ca-key.pem              the authority; keep ca-key.pem out of the cluster
#   server/{ca,cert,key}.pem        for buildkitd, named `buildkitd`
#   client/{ca,cert,key}.pem        for who may build
#
#   sh certificates.sh FOLDER
#   kubectl create secret generic buildkitd-server --from-file=FOLDER/server
#   kubectl create secret generic buildkitd-client --from-file=FOLDER/client
#
# Run again with the same folder it keeps the authority and makes new certificates: replace the server's Secret, then
# `kubectl rollout restart statefulset/buildkitd`.
set -eu
folder=${1:?usage: certificates.sh FOLDER}
days=${DAYS:-365}
mkdir -p "$folder/server" "$folder/client"
cd "$folder"
umask 077
curve='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
if [ ! -f ca.pem ]; then
    openssl req -x509 $curve -days 3650 -subj /CN=buildkitd-authority -keyout ca-key.pem -out ca.pem 2>/dev/null
fi
for who in server client; do
    openssl req $curve -subj "/CN=$who" -keyout "$who/key.pem" -out request.pem 2>/dev/null
    case $who in
    # All pods have this one name; who connects says it: servername=buildkitd, --tlsservername=buildkitd.
    server) printf 'subjectAltName=DNS:buildkitd,DNS:localhost\nextendedKeyUsage=serverAuth\n' > extensions ;;
    client) printf 'extendedKeyUsage=clientAuth\n' > extensions ;;
    esac
    openssl x509 -req -in request.pem -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days "$days" \
        -extfile extensions -out "$who/cert.pem" 2>/dev/null
    cp ca.pem "$who/ca.pem"
done
rm -f request.pem extensions ca.srl
