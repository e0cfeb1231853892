package p9

// A message is a decoded request. Which of its fields mean something depends on
// its type; a name in parentheses says what a field is called in the manual.
type message struct {
	typ    uint8
	tag    uint16
	oldtag uint16
	fid    uint32 // also of the directory in which something is made (dfid)
	newfid uint32 // also of the directory something is moved to
	uid    uint32 // n_uname
	count  uint32 // also msize
	offset uint64
	length uint64 // the length or size to set
	mode   uint32 // the permissions and kind to create or set
	flags  uint32 // the mode of Topen and Tcreate, the flags, the valid bits of Tsetattr
	name   string // also version
	name2  string // the second name, target or extension
	names  []string
	data   []byte // part of the frame
	lock   lockRange
}

// A lockRange is what Tgetlock asks for and Rgetlock repeats.
type lockRange struct {
	start, length uint64
	pid           uint32
}

// A format says how a request is decoded and in which dialects it exists.
type format struct {
	in     [3]bool // by Dialect
	decode func(m *message, d *decoder)
}

var (
	always = [3]bool{true, true, true}
	notInL = [3]bool{true, true, false}
	onlyL  = [3]bool{false, false, true}
)

// formats has the format of each type of request, and a nil decode for what is
// no request.
var formats = [256]format{
	tversion: {always, func(m *message, d *decoder) { m.count, m.name = d.u32(), d.str() }},
	tauth:    {always, decodeAuth},
	tattach:  {always, decodeAttach},
	tflush:   {always, func(m *message, d *decoder) { m.oldtag = d.u16() }},
	twalk:    {always, decodeWalk},
	tread:    {always, decodeRead},
	twrite:   {always, decodeWrite},
	tclunk:   {always, decodeFid},
	tremove:  {always, decodeFid},

	topen:   {notInL, func(m *message, d *decoder) { m.fid, m.flags = d.u32(), uint32(d.u8()) }},
	tcreate: {notInL, decodeCreate},
	tstat:   {notInL, decodeFid},
	twstat:  {notInL, decodeWstat},

	tstatfs:      {onlyL, decodeFid},
	tlopen:       {onlyL, func(m *message, d *decoder) { m.fid, m.flags = d.u32(), d.u32() }},
	tlcreate:     {onlyL, decodeLcreate},
	tsymlink:     {onlyL, decodeSymlink},
	tmknod:       {onlyL, decodeMknod},
	trename:      {onlyL, decodeRename},
	treadlink:    {onlyL, decodeFid},
	tgetattr:     {onlyL, func(m *message, d *decoder) { m.fid, m.offset = d.u32(), d.u64() }},
	tsetattr:     {onlyL, decodeSetattr},
	txattrwalk:   {onlyL, decodeXattrwalk},
	txattrcreate: {onlyL, decodeXattrcreate},
	treaddir:     {onlyL, decodeRead},
	tfsync:       {onlyL, decodeFsync},
	tlock:        {onlyL, decodeLock},
	tgetlock:     {onlyL, decodeGetlock},
	tlink:        {onlyL, func(m *message, d *decoder) { m.newfid, m.fid, m.name = d.u32(), d.u32(), d.str() }},
	tmkdir:       {onlyL, decodeMkdir},
	trenameat:    {onlyL, decodeRenameat},
	tunlinkat:    {onlyL, func(m *message, d *decoder) { m.fid, m.name, m.flags = d.u32(), d.str(), d.u32() }},
}

// decode takes apart the body of a request whose type and tag are known. The
// names of m before the call are used again for their room.
func (m *message) decode(d *decoder) error {
	f := &formats[m.typ]
	if f.decode == nil || !f.in[d.dialect] {
		return badType(m.typ)
	}
	f.decode(m, d)
	if !d.end() {
		return errMalformed
	}
	return nil
}

func decodeFid(m *message, d *decoder) { m.fid = d.u32() }

func decodeAuth(m *message, d *decoder) {
	m.fid = d.u32()
	d.skipString()
	d.skipString()
	m.uid = decodeUID(d)
}

func decodeAttach(m *message, d *decoder) {
	m.fid, m.newfid = d.u32(), d.u32()
	d.skipString()
	d.skipString()
	m.uid = decodeUID(d)
}

func decodeUID(d *decoder) uint32 {
	if d.dialect == Plain {
		return noUID
	}
	return d.u32()
}

func decodeWalk(m *message, d *decoder) {
	m.fid, m.newfid = d.u32(), d.u32()
	m.names = d.names(m.names[:0])
}

func decodeRead(m *message, d *decoder) {
	m.fid, m.offset, m.count = d.u32(), d.u64(), d.u32()
}

func decodeWrite(m *message, d *decoder) {
	m.fid, m.offset, m.data = d.u32(), d.u64(), d.data()
}

func decodeCreate(m *message, d *decoder) {
	m.fid, m.name, m.mode, m.flags = d.u32(), d.str(), d.u32(), uint32(d.u8())
	if d.dialect == DotU {
		m.name2 = d.str()
	}
}

// decodeWstat takes from the stat record what can be changed.
func decodeWstat(m *message, d *decoder) {
	m.fid = d.u32()
	record := d.bytes()
	if d.bad {
		return
	}
	rd := decoder{b: record, dialect: d.dialect}
	st := rd.stat()
	if !rd.end() {
		d.bad = true
	}
	m.name, m.name2, m.length, m.mode = st.name, st.target, st.length, st.mode
}

func decodeLcreate(m *message, d *decoder) {
	m.fid, m.name, m.flags, m.mode = d.u32(), d.str(), d.u32(), d.u32()
	d.u32() // the group
}

func decodeSymlink(m *message, d *decoder) {
	m.fid, m.name, m.name2 = d.u32(), d.str(), d.str()
	d.u32() // the group
}

func decodeMknod(m *message, d *decoder) {
	m.fid = d.u32()
	d.skipString()
	d.take(4 + 4 + 4 + 4) // mode, major, minor, group
}

func decodeRename(m *message, d *decoder) {
	m.fid, m.newfid, m.name = d.u32(), d.u32(), d.str()
}

func decodeSetattr(m *message, d *decoder) {
	m.fid, m.flags, m.mode = d.u32(), d.u32(), d.u32()
	d.take(4 + 4) // owner and group
	m.length = d.u64()
	d.take(4 * 8) // times
}

func decodeXattrwalk(m *message, d *decoder) {
	m.fid, m.newfid = d.u32(), d.u32()
	d.skipString()
}

func decodeXattrcreate(m *message, d *decoder) {
	m.fid = d.u32()
	d.skipString()
	d.take(8 + 4) // size and flags
}

// decodeFsync accepts the message with and without the flag that was added to
// it later.
func decodeFsync(m *message, d *decoder) {
	m.fid = d.u32()
	if len(d.b) > 0 {
		d.u32()
	}
}

func decodeLock(m *message, d *decoder) {
	m.fid = d.u32()
	d.take(1 + 4) // type and flags
	decodeRange(m, d)
}

func decodeGetlock(m *message, d *decoder) {
	m.fid = d.u32()
	d.take(1) // type
	decodeRange(m, d)
}

func decodeRange(m *message, d *decoder) {
	m.lock = lockRange{d.u64(), d.u64(), d.u32()}
	m.name = d.str() // client_id
}

func decodeMkdir(m *message, d *decoder) {
	m.fid, m.name, m.mode = d.u32(), d.str(), d.u32()
	d.u32() // the group
}

func decodeRenameat(m *message, d *decoder) {
	m.fid, m.name, m.newfid, m.name2 = d.u32(), d.str(), d.u32(), d.str()
}
