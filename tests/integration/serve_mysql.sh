#!/bin/bash
# As serve_mariadb.sh, with MySQL: source and replicas.
FLAVOR=mysql exec bash tests/integration/serve_mariadb.sh
