package wire

import "encoding/binary"

// QueueWalk queues a walk from fid along names to newfid.
func (c *Conn) QueueWalk(tag uint16, fid, newfid uint32, names ...string) {
	f := begin(c.out, Twalk, tag)
	f.u32(fid)
	f.u32(newfid)
	f.u16(uint16(len(names)))
	for _, n := range names {
		f.str(n)
	}
	c.out = f.end()
}

// QueueOpen queues the opening of fid with the flags of open(2).
func (c *Conn) QueueOpen(tag uint16, fid, flags uint32) {
	f := begin(c.out, Tlopen, tag)
	f.u32(fid)
	f.u32(flags)
	c.out = f.end()
}

// QueueRead queues a read. Data returns what the reply's body holds.
func (c *Conn) QueueRead(tag uint16, fid uint32, off uint64, count uint32) {
	c.queueRange(Tread, tag, fid, off, count)
}

// QueueReaddir queues the reading of a directory.
func (c *Conn) QueueReaddir(tag uint16, fid uint32, off uint64, count uint32) {
	c.queueRange(Treaddir, tag, fid, off, count)
}

func (c *Conn) queueRange(typ uint8, tag uint16, fid uint32, off uint64, count uint32) {
	f := begin(c.out, typ, tag)
	f.u32(fid)
	f.u64(off)
	f.u32(count)
	c.out = f.end()
}

// QueueWrite queues a write.
func (c *Conn) QueueWrite(tag uint16, fid uint32, off uint64, p []byte) {
	f := begin(c.out, Twrite, tag)
	f.u32(fid)
	f.u64(off)
	f.u32(uint32(len(p)))
	f.b = append(f.b, p...)
	c.out = f.end()
}

// QueueClunk queues the end of fid.
func (c *Conn) QueueClunk(tag uint16, fid uint32) {
	f := begin(c.out, Tclunk, tag)
	f.u32(fid)
	c.out = f.end()
}

// Data returns the data in the body of a reply to a read.
func Data(body []byte) []byte {
	if len(body) < 4 {
		return nil
	}
	return body[4:]
}

// Walk walks from fid along names to newfid.
func (c *Conn) Walk(fid, newfid uint32, names ...string) error {
	c.QueueWalk(0, fid, newfid, names...)
	body, err := c.call()
	if err == nil && len(body) >= 2 && int(binary.LittleEndian.Uint16(body)) < len(names) {
		return NotExist // a part of the way only
	}
	return err
}

// Open opens fid with the flags of open(2).
func (c *Conn) Open(fid, flags uint32) error {
	c.QueueOpen(0, fid, flags)
	_, err := c.call()
	return err
}

// Read reads at off. The result is valid until the next call.
func (c *Conn) Read(fid uint32, off uint64, count uint32) ([]byte, error) {
	c.QueueRead(0, fid, off, count)
	body, err := c.call()
	return Data(body), err
}

// Write writes p, which must fit into one message, at off.
func (c *Conn) Write(fid uint32, off uint64, p []byte) error {
	c.QueueWrite(0, fid, off, p)
	_, err := c.call()
	return err
}

// Clunk ends fid.
func (c *Conn) Clunk(fid uint32) error {
	c.QueueClunk(0, fid)
	_, err := c.call()
	return err
}

// Mkdir makes directory name in the directory fid.
func (c *Conn) Mkdir(fid uint32, name string) error {
	f := begin(c.out, Tmkdir, 0)
	f.u32(fid)
	f.str(name)
	f.u32(0o755)
	f.u32(0) // gid
	c.out = f.end()
	_, err := c.call()
	return err
}

// Create makes file name in the directory fid, which becomes the open file.
func (c *Conn) Create(fid uint32, name string) error {
	f := begin(c.out, Tlcreate, 0)
	f.u32(fid)
	f.str(name)
	f.u32(2) // O_RDWR
	f.u32(0o644)
	f.u32(0) // gid
	c.out = f.end()
	_, err := c.call()
	return err
}

// Readdir reads entries of the open directory fid and returns how many there
// were and the offset to go on from. None means the end.
func (c *Conn) Readdir(fid uint32, off uint64, count uint32) (n int, next uint64, err error) {
	c.QueueReaddir(0, fid, off, count)
	body, err := c.call()
	if err != nil {
		return 0, off, err
	}
	n, off = entries(Data(body), off)
	return n, off, nil
}

// entries returns the number of directory entries in p, and the offset of the
// last or, without any, off.
func entries(p []byte, off uint64) (int, uint64) {
	const fixed = 24 // qid, offset, type, length of the name
	n := 0
	for len(p) >= fixed {
		size := fixed + int(binary.LittleEndian.Uint16(p[fixed-2:]))
		if size > len(p) {
			break
		}
		off = binary.LittleEndian.Uint64(p[13:])
		p = p[size:]
		n++
	}
	return n, off
}
