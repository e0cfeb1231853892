package remote

import (
	"path/filepath"
	"strings"
	"testing"
)

// FuzzAddress checks that no part of an address reaches a program where it
// could be taken for an option.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"/a", "-x", "h:x", "-h:x", "u@[::1]:x", "ssh://-o@h/x", "ssh://h:1/x", "git://h/x", "file://x", "x://", "[:]", "@:"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, address string) {
		ep, err := parse(address)
		if err != nil {
			return
		}
		switch ep.Protocol {
		case "file":
			if !filepath.IsAbs(ep.Path) {
				t.Fatalf("%q has the path %q", address, ep.Path)
			}
		case "ssh":
			if target, err := sshTarget(ep); err == nil && (target == "" || strings.HasPrefix(target, "-")) {
				t.Fatalf("%q has ssh connect to %q", address, target)
			}
		}
	})
}
