# Console and agent in one container, beside which compose.yaml starts a PostgreSQL. The base is Debian or Ubuntu with Node.js 20.19 or newer.
ARG BASE_IMAGE=docker.io/library/node:22-bookworm-slim
FROM ${BASE_IMAGE}

# QEMU and what bridges need; what the built-in image is made with; recipes, Debian's image, and backups; what reaches VMs from inside.
# The lists of packages stay, since images are made of packages.
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
      ca-certificates procps util-linux qemu-system-x86 qemu-utils ovmf genisoimage iproute2 nftables dnsmasq-base \
      cpio dosfstools e2fsprogs fdisk mtools syslinux syslinux-common xz-utils zstd \
      guestfs-tools mmdebstrap debian-archive-keyring restic \
      curl jq openssh-client socat

WORKDIR /opt/cumulus
COPY . .
RUN node scripts/build.mjs

ENV HOST=0.0.0.0 PORT=3000 CUMULUS_DATA_DIR=/var/lib/cumulus CUMULUS_STOP_VMS=1
VOLUME /var/lib/cumulus
EXPOSE 3000
# Keeps both running. VMs are shut down with the container, and those that ran are started again with it.
CMD ["node", "scripts/up.mjs"]
