package odb

import (
	"errors"
	"runtime"
	"runtime/debug"
	"unsafe"
)

// heapIndex is the size in bytes up to which a file is read rather than
// mapped: a mapping takes a page, an entry in the kernel's list, and its time.
const heapIndex = 16 << 10

// A mapping is the content of a file that nobody changes. Its bytes may only
// be touched within guard, as the file may be cut short under a map.
type mapping struct {
	data   []byte
	mapped bool // else data is on the heap
}

// openMapping maps a file, or reads it if that is less work.
func openMapping(path string) (*mapping, error) {
	f, err := openShared(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	switch size := st.Size(); {
	case !st.Mode().IsRegular():
		return nil, errors.New("not a regular file")
	case size <= heapIndex:
		data := make([]byte, size)
		_, err := f.ReadAt(data, 0)
		return &mapping{data: data}, err
	case int64(int(size)) != size:
		return nil, errors.New("too large for the address space")
	default:
		data, err := mapFile(f, size)
		return &mapping{data: data, mapped: true}, err
	}
}

// close gives the memory back. Nobody may touch the bytes any more.
func (m *mapping) close() {
	if m.mapped {
		unmapFile(m.data) // fails for a range that is not mapped only
	}
	m.data = nil
}

var errTruncated = errors.New("the file is shorter than when it was opened")

// guard runs f, which reads m. If the file turns out to be shorter than its
// map, the fault that f runs into is the error errTruncated.
func (m *mapping) guard(f func() error) (err error) {
	if !m.mapped {
		return f()
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			if !m.isFault(r) {
				panic(r)
			}
			err = errTruncated
		}
	}()
	return f()
}

// isFault reports whether a panic is that of a memory access within m.
func (m *mapping) isFault(r any) bool {
	fault, ok := r.(interface {
		runtime.Error
		Addr() uintptr
	})
	if !ok {
		return false
	}
	start := uintptr(unsafe.Pointer(unsafe.SliceData(m.data)))
	return fault.Addr() >= start && fault.Addr() < start+uintptr(len(m.data))
}
