package datakit

import (
	"encoding/hex"
	"strconv"
)

// A Hash is the name of a Git object: the SHA-1 of its content. The zero Hash
// names nothing; methods use it for "no commit".
type Hash [20]byte

// EmptyTree is the name of the tree without entries. It exists in every
// database, stored or not.
var EmptyTree = Hash{
	0x4b, 0x82, 0x5d, 0xc6, 0x42, 0xcb, 0x6e, 0xb9, 0xa0, 0x60,
	0xe5, 0x4b, 0xf8, 0xd6, 0x92, 0x88, 0xfb, 0xee, 0x49, 0x04,
}

// ParseHash reads a full object name: exactly 40 hexadecimal digits, in either
// case. The error is Invalid for anything else.
func ParseHash(s string) (Hash, error) {
	var h Hash
	if len(s) != 2*len(h) {
		return Hash{}, badHash(s)
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil {
		return Hash{}, badHash(s)
	}
	return h, nil
}

func badHash(s string) error {
	return &Error{Op: "parse hash", Subject: strconv.Quote(s), Kind: Invalid}
}

// String returns the 40 digits in lower case.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// AppendText appends the 40 digits in lower case.
func (h Hash) AppendText(b []byte) ([]byte, error) { return hex.AppendEncode(b, h[:]), nil }

// MarshalText returns the 40 digits in lower case.
func (h Hash) MarshalText() ([]byte, error) { return h.AppendText(nil) }

// UnmarshalText is ParseHash.
func (h *Hash) UnmarshalText(b []byte) (err error) {
	*h, err = ParseHash(string(b))
	return err
}

// IsZero reports whether h names nothing.
func (h Hash) IsZero() bool { return h == Hash{} }
