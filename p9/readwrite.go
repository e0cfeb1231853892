package p9

import (
	"errors"

	"github.com/datakit/datakit/vfs"
)

// read answers a Tread. Of a waiting file it does not read into the buffer for
// replies, which would be kept as long as the read waits.
func (r *request) read() error {
	f, err := r.s.fid(r.fid)
	if err != nil {
		return err
	}
	h := f.now()
	r.waits = h.maxRead > 0
	if err := r.enter(f, &f.reads); err != nil {
		return err
	}
	h = f.now() // it may have taken a while
	count := int(min(r.count, r.s.msize-readHeader))
	switch {
	case h.dir != nil && r.s.dialect == DotL:
		return vfs.ErrIsDir
	case h.dir != nil:
		return r.readRecords(h.dir, count)
	case h.file == nil:
		return errReadNotOpen
	case h.maxRead > 0:
		return r.readWaiting(h, count)
	}
	n, err := h.file.ReadAt(r, r.reserve(count), r.offset)
	if err != nil && !r.isEnd(err) {
		return err
	}
	r.putRead(n)
	return nil
}

// isEnd reports whether err is no failure but the end of the file: 9P2000.L
// reads nothing where the others fail.
func (r *request) isEnd(err error) bool {
	return r.s.dialect == DotL && errors.Is(err, vfs.ErrPastEnd)
}

func (r *request) readWaiting(h handle, count int) error {
	count = min(count, h.maxRead)
	p := r.small[:]
	if count > len(p) {
		p = make([]byte, count)
	}
	n, err := h.file.ReadAt(r, p[:count], r.offset)
	if err != nil && !r.isEnd(err) {
		return err
	}
	r.out.b = append(append32(r.reply(), uint32(n)), p[:n]...)
	return nil
}

func (r *request) write() error {
	f, err := r.s.fid(r.fid)
	if err != nil {
		return err
	}
	if err := r.enter(f, &f.changes); err != nil {
		return err
	}
	h := f.now()
	switch {
	case h.dir != nil:
		return errWriteDir
	case h.file == nil:
		return r.refuseWrite(h)
	}
	if err := h.file.WriteAt(r, r.data, r.offset); err != nil {
		return err
	}
	r.out.b = append32(r.reply(), uint32(len(r.data)))
	return nil
}

// refuseWrite is the error for a write to what is not open.
func (r *request) refuseWrite(h handle) error {
	if _, isDir := h.node.(vfs.Dir); isDir {
		return errWriteDir
	}
	return errWriteNotOpen
}
