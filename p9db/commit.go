package p9db

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/datakit/datakit"
)

// Commit implements datakit.Driver.
func (d *driver) Commit(ctx context.Context, h datakit.Hash) (*datakit.Commit, error) {
	c, err := keep(d.kept, "commit "+h.String(), func() (datakit.Commit, int, error) {
		c, err := d.readCommit(ctx, h)
		return c, 200 + len(c.Message) + len(c.Author) + 20*len(c.Parents), err
	})
	if err != nil {
		return nil, err
	}
	c.Parents = append([]datakit.Hash{}, c.Parents...)
	return &c, nil
}

// commitJSON is a file of /commits (specification of the filesystem, FS-67).
type commitJSON struct {
	Hash  datakit.Hash
	Value struct {
		Node    datakit.Hash
		Parents []datakit.Hash
		Info    struct {
			Date            int64
			Author, Message string
		}
	}
}

// readCommit reads a commit. Its message is in two files, of which the one of
// /commits has not what is no UTF-8.
func (d *driver) readCommit(ctx context.Context, h datakit.Hash) (datakit.Commit, error) {
	text, err := d.readSmall(ctx, "commits", h.String())
	if err != nil {
		return datakit.Commit{}, err
	}
	var j commitJSON
	if err := json.Unmarshal(text, &j); err != nil || j.Hash != h {
		return datakit.Commit{}, internal("malformed commit", string(text))
	}
	msg := j.Value.Info.Message
	if strings.ContainsRune(msg, '\uFFFD') {
		text, err := d.readSmall(ctx, "snapshots", h.String(), "msg")
		if err != nil {
			return datakit.Commit{}, err
		}
		msg = strings.TrimSuffix(string(text), "\n")
	}
	return datakit.Commit{
		Hash:    h,
		TreeID:  j.Value.Node,
		Parents: j.Value.Parents,
		Author:  j.Value.Info.Author,
		Date:    time.Unix(j.Value.Info.Date, 0).UTC(),
		Message: msg,
	}, nil
}

// parseHashes reads hashes, one a line, and ignores what people may have left
// between them.
func parseHashes(text string) ([]datakit.Hash, error) {
	hashes := []datakit.Hash{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		h, err := datakit.ParseHash(line)
		if err != nil {
			return nil, internal("malformed hash", line)
		}
		hashes = append(hashes, h)
	}
	return hashes, nil
}
