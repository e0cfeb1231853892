package vfs

import "testing"

func BenchmarkChildPath(b *testing.B) {
	var path uint64
	for b.Loop() {
		path = ChildPath(path, "some-file-name.txt", false)
	}
}
