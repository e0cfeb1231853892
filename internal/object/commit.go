package object

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/datakit/datakit"
)

// A Signature is who made a commit, and when.
type Signature struct {
	Name, Address string
	Time          time.Time // in whole seconds
}

// String returns the form in a commit object, in UTC.
func (s Signature) String() string {
	return fmt.Sprintf("%s <%s> %d +0000", s.Name, s.Address, s.Time.Unix())
}

// A Commit is the content of a commit object, as far as it matters here.
type Commit struct {
	Tree      datakit.Hash
	Parents   []datakit.Hash
	Author    Signature
	Committer Signature
	Message   string // exactly as stored
}

// Bytes returns the content of the commit object.
func (c *Commit) Bytes() []byte {
	b := make([]byte, 0, 256+len(c.Message))
	b = append(b, "tree "...)
	b, _ = c.Tree.AppendText(b)
	for _, p := range c.Parents {
		b = append(b, "\nparent "...)
		b, _ = p.AppendText(b)
	}
	b = append(b, "\nauthor "...)
	b = append(b, c.Author.String()...)
	b = append(b, "\ncommitter "...)
	b = append(b, c.Committer.String()...)
	b = append(b, "\n\n"...)
	return append(b, c.Message...)
}

var errCommit = errors.New("malformed commit object")

// ParseCommit reads the content of a commit object. Headers that it does not
// know, such as signatures, are passed over.
func ParseCommit(raw []byte) (*Commit, error) {
	c := new(Commit)
	header, message, _ := bytes.Cut(raw, []byte("\n\n"))
	c.Message = string(message)
	if bytes.HasPrefix(raw, []byte("\n")) {
		return nil, errCommit
	}
	hasTree := false
	for line := range bytes.SplitSeq(header, []byte("\n")) {
		key, value, _ := bytes.Cut(line, []byte(" "))
		var err error
		switch string(key) {
		case "tree":
			hasTree = true
			c.Tree, err = datakit.ParseHash(string(value))
		case "parent":
			var p datakit.Hash
			p, err = datakit.ParseHash(string(value))
			c.Parents = append(c.Parents, p)
		case "author":
			c.Author = parseSignature(value)
		case "committer":
			c.Committer = parseSignature(value)
		}
		if err != nil {
			return nil, errCommit
		}
	}
	if !hasTree {
		return nil, errCommit
	}
	return c, nil
}

// parseSignature reads "NAME <ADDRESS> SECONDS ZONE" and makes the best of
// what is not of that form, of which old histories have some.
func parseSignature(b []byte) (s Signature) {
	name, rest, _ := bytes.Cut(b, []byte("<"))
	s.Name = string(bytes.TrimSuffix(name, []byte(" ")))
	end := bytes.LastIndexByte(rest, '>')
	if end < 0 {
		end = len(rest)
	}
	s.Address = string(rest[:end])
	seconds := int64(0)
	if fields := bytes.Fields(rest[end:]); len(fields) > 1 {
		seconds, _ = strconv.ParseInt(string(fields[1]), 10, 64)
	}
	s.Time = time.Unix(seconds, 0)
	return s
}
