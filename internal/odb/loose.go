package odb

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/odb/packfile"
	"github.com/klauspost/compress/zlib"
)

var errLoose = errors.New("malformed header of a loose object")

// maxLooseHeader is the longest header that is looked for: type, space, size
// and NUL.
const maxLooseHeader = 32

// loosePath returns where an object that is not in a pack is, below the
// objects directory.
func loosePath(objects string, h datakit.Hash) string {
	name := h.String()
	return filepath.Join(objects, name[:2], name[2:])
}

// smallLoose is the size in bytes of a file that is read at once.
const smallLoose = 64 << 10

// A looseReader decompresses a loose object. Its file is closed by Close.
type looseReader struct {
	f     *os.File
	z     io.Reader
	small *inflater // nil, or to be freed
	kind  object.Type
	size  int64
	rest  []byte // of the content, read together with the header
}

// openLoose opens a loose object and reads its header.
func openLoose(path string) (*looseReader, error) {
	f, err := openShared(path)
	if err != nil {
		return nil, err
	}
	r := &looseReader{f: f}
	if err := r.start(); err != nil {
		r.Close()
		return nil, unexpected(err)
	}
	return r, nil
}

func (r *looseReader) start() error {
	st, err := r.f.Stat()
	if err != nil {
		return err
	}
	if st.Size() > smallLoose {
		r.z, err = zlib.NewReader(newFileReader(r.f, 0, math.MaxInt64))
	} else {
		buf := make([]byte, st.Size())
		if _, err := r.f.ReadAt(buf, 0); err != nil {
			return err
		}
		if r.small, err = newInflater(buf); err == nil {
			r.z = r.small.z
		}
	}
	if err != nil {
		return err
	}
	head := make([]byte, maxLooseHeader)
	n, err := io.ReadFull(r.z, head)
	if err != nil && err != io.ErrUnexpectedEOF {
		return err
	}
	end := bytes.IndexByte(head[:n], 0)
	if end < 0 {
		return errLoose
	}
	r.rest = head[end+1 : n]
	return r.parse(head[:end])
}

func (r *looseReader) parse(header []byte) (err error) {
	word, digits, _ := bytes.Cut(header, []byte(" "))
	var ok bool
	if r.kind, ok = object.ParseType(string(word)); !ok {
		return errLoose
	}
	r.size, err = strconv.ParseInt(string(digits), 10, 64)
	if err != nil || r.size < int64(len(r.rest)) {
		return errLoose
	}
	return nil
}

// Read reads the content.
func (r *looseReader) Read(p []byte) (int, error) {
	if len(r.rest) > 0 {
		n := copy(p, r.rest)
		r.rest = r.rest[n:]
		return n, nil
	}
	return r.z.Read(p)
}

// Close closes the file. The reader must not be used any more.
func (r *looseReader) Close() error {
	if r.small != nil {
		r.small.free()
		r.small, r.z = nil, nil
	}
	return r.f.Close()
}

// readAll reads the whole content. What is announced as larger than limit is
// packfile.ErrBig.
func (r *looseReader) readAll(limit int64) (c content, err error) {
	st, err := r.f.Stat()
	if err != nil {
		return c, err
	}
	if r.size > limit {
		return c, packfile.ErrBig
	}
	if r.size/maxRatio > st.Size() {
		return c, errSize
	}
	c = content{r.kind, make([]byte, r.size)}
	if _, err := io.ReadFull(r, c.data); err != nil {
		return c, unexpected(err)
	}
	return c, ended(r)
}
