// Package object has the formats of Git's objects: how blobs, trees and
// commits are named and written (gitformat-pack(5), git-cat-file(1), and "Git
// Internals - Git Objects" of the Git book).
package object

import (
	"strconv"

	"github.com/pjbgf/sha1cd"

	"github.com/datakit/datakit"
)

// A Type is the type of an object, numbered as in a pack.
type Type uint8

// The types of objects.
const (
	CommitType Type = 1
	TreeType   Type = 2
	BlobType   Type = 3
	TagType    Type = 4
)

// String returns the word that the object's name is computed with.
func (t Type) String() string {
	switch t {
	case CommitType:
		return "commit"
	case TreeType:
		return "tree"
	case BlobType:
		return "blob"
	case TagType:
		return "tag"
	}
	return "type " + strconv.Itoa(int(t))
}

// ParseType is the opposite of String. ok is false for an unknown word.
func ParseType(word string) (t Type, ok bool) {
	for t := CommitType; t <= TagType; t++ {
		if t.String() == word {
			return t, true
		}
	}
	return 0, false
}

// A Hasher computes the name of an object from its content, written in pieces.
// It detects content made to collide, and gives it another name than Git's
// enemies wish for.
type Hasher struct {
	sha1cd.CollisionResistantHash
}

// NewHasher starts the name of an object of a known size in bytes.
func NewHasher(t Type, size int64) Hasher {
	h := Hasher{sha1cd.New().(sha1cd.CollisionResistantHash)}
	h.Write(Header(t, size))
	return h
}

// Hash returns the name of what was written.
func (h Hasher) Hash() (name datakit.Hash) {
	h.Sum(name[:0])
	return name
}

// Header returns what precedes an object's content where its name is computed
// and in a loose object's file: the type, a space, the size and a NUL.
func Header(t Type, size int64) []byte {
	b := make([]byte, 0, 32)
	b = append(b, t.String()...)
	b = append(b, ' ')
	b = strconv.AppendInt(b, size, 10)
	return append(b, 0)
}

// Name returns the name of an object with the given content.
func Name(t Type, content []byte) datakit.Hash {
	h := NewHasher(t, int64(len(content)))
	h.Write(content)
	return h.Hash()
}
