#!/bin/sh
# Starts the service and Vite's development server; Ctrl-C ends both.
set -eu
AUTOTUNER_ALLOWED_ORIGINS=http://127.0.0.1:5173 .venv/bin/autotuner serve --port "${PORT:-8700}" &
service=$!
trap 'kill "$service" 2>/dev/null; wait "$service" 2>/dev/null' EXIT INT TERM
cd web
AUTOTUNER_SERVICE="http://127.0.0.1:${PORT:-8700}" PATH="$(pwd)/../.venv/node:$PATH" npm run dev
