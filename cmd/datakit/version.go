package main

import "runtime/debug"

// release is the version; the linker sets it for a release.
var release = "0.1.0-dev"

// version returns the version, with the commit it was built from if that is
// known.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) > 12 {
			return release + "+" + s.Value[:12]
		}
	}
	return release
}
