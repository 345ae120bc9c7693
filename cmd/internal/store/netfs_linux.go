package store

import "golang.org/x/sys/unix"

// networkFileSystem names the file system of a folder where it is one of a network, else it is empty.
func networkFileSystem(folder string) string {
	var st unix.Statfs_t
	if unix.Statfs(folder, &st) != nil {
		return ""
	}
	switch uint32(st.Type) {
	case unix.NFS_SUPER_MAGIC:
		return "nfs"
	case unix.SMB_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC:
		return "smb"
	case unix.V9FS_MAGIC:
		return "9p"
	case unix.CEPH_SUPER_MAGIC:
		return "ceph"
	case unix.AFS_SUPER_MAGIC, unix.AFS_FS_MAGIC:
		return "afs"
	case unix.FUSE_SUPER_MAGIC:
		return "fuse"
	}
	return ""
}
