package fsapi

import (
	"bytes"
	"context"
	"encoding/json"
	"unicode/utf8"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

// A commitsDir is /commits.
type commitsDir struct {
	vfs.DirBase
	s *Session
}

// Lookup implements vfs.Dir.
func (d *commitsDir) Lookup(ctx context.Context, name string) (vfs.Node, error) {
	c, err := d.s.commit(ctx, name)
	if err != nil {
		return nil, err
	}
	base := vfs.FileBase{Base: d.s.fs.base(d, c.Hash.String())}
	base.Frozen = true
	return &vfs.Status{FileBase: base, Content: func(context.Context) ([]byte, error) {
		return formatCommit(c)
	}}, nil
}

// A commitFile is what a file of /commits holds, in this order.
type commitFile struct {
	Hash  datakit.Hash `json:"hash"`
	Value struct {
		Node    datakit.Hash   `json:"node"`
		Parents []datakit.Hash `json:"parents"`
		Info    struct {
			Date    int64  `json:"date"`
			Author  string `json:"author"`
			Message string `json:"message"`
		} `json:"info"`
	} `json:"value"`
}

func formatCommit(c *datakit.Commit) ([]byte, error) {
	var f commitFile
	f.Hash = c.Hash
	f.Value.Node = c.TreeID
	f.Value.Parents = append([]datakit.Hash{}, c.Parents...) // [], not null
	f.Value.Info.Date = c.Date.Unix()
	f.Value.Info.Author = toUTF8(c.Author)
	f.Value.Info.Message = toUTF8(c.Message)
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(&f)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// toUTF8 returns s with U+FFFD in place of each byte that is not UTF-8.
func toUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}
