#!/bin/sh
# Talks of bhyve and starts none.
echo "bhyve -c 2 guest" > /dev/null
for vm in a b; do
	bhyvectl --destroy --vm="$vm"
done
