#!/bin/sh
DISK=/vm/guest/disk0.img
exec bhyve -c 2 -m 1G -H -P \
	-s 0,hostbridge \
	-s 3,virtio-blk,$DISK \
	-s 31,lpc -l com1,stdio \
	-l bootrom,/usr/local/share/uefi-firmware/BHYVE_UEFI.fd \
	guest
