package p9

// A Dialect is a version of the protocol.
type Dialect uint8

// The dialects, from the least to the most able.
const (
	Plain Dialect = iota // 9P2000
	DotU                 // 9P2000.u: numbers of errors and users, symlinks
	DotL                 // 9P2000.L: the operations of Linux
)

// String returns the name of the dialect as in the version messages.
func (d Dialect) String() string {
	switch d {
	case DotU:
		return "9P2000.u"
	case DotL:
		return "9P2000.L"
	}
	return "9P2000"
}

// The types of requests. The type of a reply is that of its request plus one.
const (
	rlerror      = 7
	tstatfs      = 8
	tlopen       = 12
	tlcreate     = 14
	tsymlink     = 16
	tmknod       = 18
	trename      = 20
	treadlink    = 22
	tgetattr     = 24
	tsetattr     = 26
	txattrwalk   = 30
	txattrcreate = 32
	treaddir     = 40
	tfsync       = 50
	tlock        = 52
	tgetlock     = 54
	tlink        = 70
	tmkdir       = 72
	trenameat    = 74
	tunlinkat    = 76
	tversion     = 100
	tauth        = 102
	tattach      = 104
	rerror       = 107
	tflush       = 108
	twalk        = 110
	topen        = 112
	tcreate      = 114
	tread        = 116
	twrite       = 118
	tclunk       = 120
	tremove      = 122
	tstat        = 124
	twstat       = 126
)

const (
	noTag = 0xFFFF     // the tag of Tversion
	noFid = 0xFFFFFFFF // no fid, as the afid of Tattach
	noUID = 0xFFFFFFFF // no numeric user

	headerLen   = 4 + 1 + 2     // size, type and tag begin each message
	readHeader  = headerLen + 4 // what precedes the data of Rread and Rreaddir
	writeHeader = headerLen + 4 + 8 + 4

	minMessage = 256 // the smallest message size agreed on
)

// Modes of Topen and Tcreate.
const (
	modeAccess = 0x03
	modeTrunc  = 0x10
	modeCexec  = 0x20
	modeRclose = 0x40
	modeAppend = 0x80
	modeKnown  = modeAccess | modeTrunc | modeCexec | modeRclose | modeAppend
)

// Flags of Tlopen, Tlcreate and Tunlinkat.
const (
	flagExcl      = 0o200
	flagTrunc     = 0o1000
	flagAppend    = 0o2000
	flagDirectory = 0o200000
	flagRemoveDir = 0x200
)

// Bits of the mode of a file in 9P2000 and 9P2000.u.
const (
	dmDir     = 0x80000000
	dmSymlink = 0x02000000

	// dmOther are the kinds of files that cannot be created: append-only,
	// exclusive, mount, auth, temporary, link, device, pipe and socket.
	dmOther = 0x40000000 | 0x20000000 | 0x10000000 | 0x08000000 | 0x04000000 |
		0x01000000 | 0x00800000 | 0x00200000 | 0x00100000
)

// The kinds of files in the mode of Linux.
const (
	kindMask    = 0o170000
	kindDir     = 0o040000
	kindRegular = 0o100000
	kindSymlink = 0o120000
)

// Types of qids, and of the entries of Rreaddir.
const (
	qidDir     = 0x80
	qidSymlink = 0x02

	direntDir     = 4
	direntRegular = 8
	direntSymlink = 10
)

// Bits of the mask of Tsetattr and Tgetattr.
const (
	setMode  = 0x1
	setSize  = 0x8
	attrMask = 0x7ff // what stat(2) returns
)
