package fuse

import gofuse "github.com/hanwen/go-fuse/v2/fuse"

// A device is the kernel's end of a mount, of which nothing is known here.
type device struct{}

// attach returns what the server is to mount on, which is dir.
func attach(dir string, _ *gofuse.MountOptions) (at string, d device, err error) {
	return dir, device{}, nil
}

func (device) dead() bool { return false }

func (device) close() {}
