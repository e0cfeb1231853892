package p9

import (
	"reflect"
	"testing"
)

// wireRequests has a request of each type in each dialect whose encoding of it
// differs. The hexadecimal digits are those of the body, blanks part the fields.
var wireRequests = []struct {
	name    string
	dialect Dialect
	typ     uint8
	hex     string
	want    message
}{
	{"Tversion", Plain, tversion, "00200000 0600 395032303030", message{count: 8192, name: "9P2000"}},
	{"Tauth", Plain, tauth, "01000000 0200 6d65 0100 2f", message{fid: 1, uid: noUID}},
	{"Tauth.u", DotU, tauth, "01000000 0200 6d65 0100 2f e8030000", message{fid: 1, uid: 1000}},
	{"Tattach", Plain, tattach, "01000000 ffffffff 0200 6d65 0000", message{fid: 1, newfid: noFid, uid: noUID}},
	{"Tattach.u", DotU, tattach, "01000000 ffffffff 0200 6d65 0000 e8030000", message{fid: 1, newfid: noFid, uid: 1000}},
	{"Tattach.L", DotL, tattach, "01000000 ffffffff 0200 6d65 0000 ffffffff", message{fid: 1, newfid: noFid, uid: noUID}},
	{"Tflush", Plain, tflush, "0700", message{oldtag: 7}},
	{"Twalk", Plain, twalk, "01000000 02000000 0200 0100 61 0300 626364", message{fid: 1, newfid: 2, names: []string{"a", "bcd"}}},
	{"Twalk of an empty name", Plain, twalk, "01000000 02000000 0100 0000", message{fid: 1, newfid: 2, names: []string{""}}},
	{"Twalk without names", Plain, twalk, "01000000 02000000 0000", message{fid: 1, newfid: 2}},
	{"Topen", Plain, topen, "01000000 12", message{fid: 1, flags: 0x12}},
	{"Tcreate", Plain, tcreate, "01000000 0100 61 ff010080 02", message{fid: 1, name: "a", mode: 0x800001ff, flags: 2}},
	{"Tcreate.u", DotU, tcreate, "01000000 0100 61 ff010002 02 0200 746f", message{fid: 1, name: "a", mode: 0x020001ff, flags: 2, name2: "to"}},
	{"Tread", Plain, tread, "01000000 0807060504030201 00100000", message{fid: 1, offset: 0x0102030405060708, count: 4096}},
	{"Twrite", Plain, twrite, "01000000 0807060504030201 03000000 616263", message{fid: 1, offset: 0x0102030405060708, data: []byte("abc")}},
	{"Tclunk", Plain, tclunk, "01000000", message{fid: 1}},
	{"Tremove", Plain, tremove, "01000000", message{fid: 1}},
	{"Tstat", Plain, tstat, "01000000", message{fid: 1}},
	{"Twstat", Plain, twstat, `01000000 3200 3000 ffff ffffffff ffffffffffffffffffffffffff a4010000
		ffffffffffffffff 0300000000000000 0100 61 0000 0000 0000`,
		message{fid: 1, name: "a", mode: 0o644, length: 3}},
	{"Twstat.u", DotU, twstat, `01000000 4200 4000 ffff ffffffff ffffffffffffffffffffffffff a4010002
		ffffffffffffffff ffffffffffffffff 0100 61 0000 0000 0000 0200 746f ffffffffffffffffffffffff`,
		message{fid: 1, name: "a", mode: dmSymlink | 0o644, length: 1<<64 - 1, name2: "to"}},
	{"Tstatfs", DotL, tstatfs, "01000000", message{fid: 1}},
	{"Tlopen", DotL, tlopen, "01000000 01020000", message{fid: 1, flags: 0o1001}},
	{"Tlcreate", DotL, tlcreate, "01000000 0100 61 41000000 a4010000 05000000", message{fid: 1, name: "a", flags: 0x41, mode: 0o644}},
	{"Tsymlink", DotL, tsymlink, "01000000 0100 61 0200 746f 05000000", message{fid: 1, name: "a", name2: "to"}},
	{"Tmknod", DotL, tmknod, "01000000 0100 61 a4010000 01000000 02000000 05000000", message{fid: 1}},
	{"Trename", DotL, trename, "01000000 02000000 0100 61", message{fid: 1, newfid: 2, name: "a"}},
	{"Treadlink", DotL, treadlink, "01000000", message{fid: 1}},
	{"Tgetattr", DotL, tgetattr, "01000000 ff07000000000000", message{fid: 1, offset: 0x7ff}},
	{"Tsetattr", DotL, tsetattr, `01000000 09000000 a4010000 01000000 02000000 0300000000000000
		0000000000000000 0000000000000000 0000000000000000 0000000000000000`,
		message{fid: 1, flags: 9, mode: 0o644, length: 3}},
	{"Txattrwalk", DotL, txattrwalk, "01000000 02000000 0100 61", message{fid: 1, newfid: 2}},
	{"Txattrcreate", DotL, txattrcreate, "01000000 0100 61 0300000000000000 00000000", message{fid: 1}},
	{"Treaddir", DotL, treaddir, "01000000 0500000000000000 00100000", message{fid: 1, offset: 5, count: 4096}},
	{"Tfsync", DotL, tfsync, "01000000 01000000", message{fid: 1}},
	{"Tfsync without flag", DotL, tfsync, "01000000", message{fid: 1}},
	{"Tlock", DotL, tlock, "01000000 01 00000000 0300000000000000 0400000000000000 05000000 0100 61",
		message{fid: 1, name: "a", lock: lockRange{3, 4, 5}}},
	{"Tgetlock", DotL, tgetlock, "01000000 01 0300000000000000 0400000000000000 05000000 0100 61",
		message{fid: 1, name: "a", lock: lockRange{3, 4, 5}}},
	{"Tlink", DotL, tlink, "02000000 01000000 0100 61", message{fid: 1, newfid: 2, name: "a"}},
	{"Tmkdir", DotL, tmkdir, "01000000 0100 61 ed010000 05000000", message{fid: 1, name: "a", mode: 0o755}},
	{"Trenameat", DotL, trenameat, "01000000 0100 61 02000000 0100 62", message{fid: 1, name: "a", newfid: 2, name2: "b"}},
	{"Tunlinkat", DotL, tunlinkat, "01000000 0100 61 00020000", message{fid: 1, name: "a", flags: flagRemoveDir}},
}

// TestWireRequests also cuts each request short, and adds a byte.
func TestWireRequests(t *testing.T) {
	for _, tt := range wireRequests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			body := unhex(t, tt.hex)
			got := message{typ: tt.typ}
			err := got.decode(&decoder{b: body, dialect: tt.dialect})
			tt.want.typ = tt.typ
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Fatalf("decoded %+v, %v, want %+v", got, err, tt.want)
			}
			for n := range body {
				if tt.typ == tfsync && n == 4 {
					continue // has two forms
				}
				m := message{typ: tt.typ}
				if err := m.decode(&decoder{b: body[:n], dialect: tt.dialect}); err != errMalformed {
					t.Errorf("%d bytes of it: %v, want %v", n, err, errMalformed)
				}
			}
			m := message{typ: tt.typ}
			if tt.name == "Tfsync without flag" {
				return
			}
			if err := m.decode(&decoder{b: append(body, 0), dialect: tt.dialect}); err != errMalformed {
				t.Errorf("with a byte more: %v, want %v", err, errMalformed)
			}
		})
	}
}

// TestFormatsAreComplete fails if a type of request has no example above.
func TestFormatsAreComplete(t *testing.T) {
	have := map[uint8]bool{}
	for _, tt := range wireRequests {
		have[tt.typ] = true
	}
	for typ, f := range formats {
		if (f.decode != nil) != have[uint8(typ)] {
			t.Errorf("type %d: decoded: %v, tested: %v", typ, f.decode != nil, have[uint8(typ)])
		}
	}
}
