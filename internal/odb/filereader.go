package odb

import (
	"bufio"
	"io"
)

// fileBuffer is how much of a file is read at once where it is decompressed.
const fileBuffer = 64 << 10

// newFileReader reads the part of a file from off to end.
func newFileReader(f io.ReaderAt, off, end int64) *bufio.Reader {
	size := min(fileBuffer, end-off)
	return bufio.NewReaderSize(io.NewSectionReader(f, off, end-off), int(size))
}
