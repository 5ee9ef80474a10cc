/** By which lab mode lets root in with a password that everybody knows (lib/api/lab/userData.ts). */
export const labAccessFile = "/etc/ssh/sshd_config.d/00-os-cloud.conf";

/**
 * A command for `bootcmd` (cloud-init, "Module reference") that gives a guest an identity of its own, once for each instance: cloud-init renews
 * host keys by itself, and leaves /etc/machine-id and passwords to the disk.
 *
 * - Of a VM of lab mode a copy keeps no way in by the lab's password; a copy that is the lab's too is given it after this. The file goes last: it tells
 *   what a boot that was cut short has left to do. BusyBox has no usermod. Where the password can't be taken, SSH at least takes none, and the id is still made.
 * - An id that this boot has made stays, such as that of a fresh image. One that is older was another machine's: the disk is a copy.
 * - A guest whose instance has host keys had its first boot before it was told this, and keeps its id. This costs a later boot nothing.
 * - The file is written in place, so that it keeps its security label. A crash in between leaves it empty, and systemd makes an id at the next boot.
 * - journald keeps its files in a folder of the id, and reads that when it starts: the folder goes along, so that `journalctl` tells of this boot.
 * - A system without systemd, such as Alpine, has no such file, or one that D-Bus made, which is renewed too.
 */
export const ownIdentityCommand = `[ -e /var/lib/cloud/instance/sem/config_ssh ] || cloud-init-per instance cumulus-machine-id sh -c '
status=0
if [ -e ${labAccessFile} ]; then
  usermod -p "*" root || echo "root:*" | chpasswd -e || status=1
  rm ${labAccessFile}
fi
[ -s /etc/machine-id ] || exit $status
booted=$(sed -n "s/^btime //p" /proc/stat)
[ "$(stat -c %Y /etc/machine-id)" -lt "$booted" ] || exit $status
old=$(cat /etc/machine-id)
new=$(tr -d - </proc/sys/kernel/random/uuid)
echo "$new" >/etc/machine-id || exit
[ ! -f /var/lib/dbus/machine-id ] || echo "$new" >/var/lib/dbus/machine-id
for journal in /run/log/journal /var/log/journal; do
  [ ! -d "$journal/$old" ] || mv "$journal/$old" "$journal/$new"
done
[ ! -d /run/systemd/system ] || systemctl restart systemd-journald
exit $status
'`;
