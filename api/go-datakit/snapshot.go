package datakit

import (
	"context"
	"strings"

	contract "github.com/datakit/datakit"
)

// Head returns the name of the commit that is the head of a branch, and the
// empty string if the branch is empty. It fails if there is no such branch.
func Head(ctx context.Context, client *Client, fromBranch string) (string, error) {
	head, err := client.readAll(ctx, branchDir(fromBranch, "head"))
	return strings.TrimSpace(head), err
}

// A SnapshotKind says what names a Snapshot.
type SnapshotKind uint8

// The kinds of snapshots.
const (
	COMMIT SnapshotKind = 1 // the name of a commit, as of Head
	OBJECT SnapshotKind = 2 // a name of the directory trees, as of Watch
)

// A Snapshot is a tree that never changes.
type Snapshot struct {
	client *Client
	kind   SnapshotKind
	thing  string
}

// NewSnapshot returns the snapshot of the given name. The server is not asked
// whether there is one: Read and List tell.
func NewSnapshot(ctx context.Context, client *Client, kind SnapshotKind, thing string) *Snapshot {
	return &Snapshot{client, kind, thing}
}

// place returns the steps to a path of the snapshot.
func (s *Snapshot) place(op string, path []string) ([]string, error) {
	var dir []string
	switch s.kind {
	case COMMIT:
		dir = []string{"snapshots", s.thing, "ro"}
	case OBJECT:
		dir = []string{"trees", s.thing}
	default:
		return nil, refuse(op, path, contract.Invalid)
	}
	if s.thing == "" { // nothing was there
		return nil, refuse(op, path, contract.NotExist)
	}
	return append(dir, path...), nil
}

// Read returns the content of the file at path.
func (s *Snapshot) Read(ctx context.Context, path []string) (string, error) {
	place, err := s.place("read", path)
	if err != nil {
		return "", err
	}
	return s.client.readAll(ctx, place)
}

// List returns the names in the directory at path.
func (s *Snapshot) List(ctx context.Context, path []string) ([]string, error) {
	place, err := s.place("list", path)
	if err != nil {
		return nil, err
	}
	return s.client.List(ctx, place)
}
