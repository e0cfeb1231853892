package datakit

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	contract "github.com/datakit/datakit"
	"github.com/datakit/datakit/p9db"
)

// transactions counts the transactions of the process, for their names.
var transactions atomic.Uint64

// A Transaction is a private copy of a branch's contents, to be changed and
// committed. End it with Commit or Abort.
type Transaction struct {
	c     *Client
	dir   []string // of the transaction in the tree
	ended atomic.Bool
}

// branchDir returns the steps to a directory or file of a branch.
func branchDir(branch string, below ...string) []string {
	return append([]string{"branch", p9db.BranchStep(branch)}, below...)
}

// NewTransaction starts a transaction from the head of a branch, which is made
// known to the server if it has none.
func NewTransaction(ctx context.Context, client *Client, fromBranch string) (*Transaction, error) {
	dir := branchDir(fromBranch, "transactions")
	if err := client.Mkdir(ctx, dir...); err != nil {
		return nil, err
	}
	f, err := client.walk(ctx, dir)
	if err != nil {
		return nil, fail("begin", dir, err)
	}
	defer f.Release()
	for {
		name := strconv.FormatUint(transactions.Add(1), 10)
		err := fail("begin", dir, f.Mkdir(ctx, name, dirPerm))
		if err == nil {
			return &Transaction{c: client, dir: append(dir, name)}, nil
		}
		if !errors.Is(err, Exist) {
			return nil, err
		}
	}
}

// place returns the steps to a path of the contents. It fails if the
// transaction has ended.
func (t *Transaction) place(op string, path []string) ([]string, error) {
	if t.ended.Load() {
		return nil, refuse(op, path, contract.Closed)
	}
	if len(path) == 0 {
		return nil, refuse(op, t.dir, contract.Invalid)
	}
	return t.at(append([]string{"rw"}, path...)...), nil
}

// at returns the steps to something of the transaction.
func (t *Transaction) at(below ...string) []string {
	return append(append([]string(nil), t.dir...), below...)
}

// Write sets the content of the file at path to value, and makes missing
// directories on the way.
func (t *Transaction) Write(ctx context.Context, path []string, value string) error {
	place, err := t.place("write", path)
	if err != nil {
		return err
	}
	err = t.c.writeAll(ctx, place, value)
	if !errors.Is(err, NotExist) {
		return err
	}
	if err := t.c.Mkdir(ctx, place[:len(place)-1]...); err != nil {
		return err
	}
	return t.c.writeAll(ctx, place, value)
}

// Read returns the content of the file at path.
func (t *Transaction) Read(ctx context.Context, path []string) (string, error) {
	place, err := t.place("read", path)
	if err != nil {
		return "", err
	}
	return t.c.readAll(ctx, place)
}

// Remove removes what is at path, a directory with all that is in it. It
// succeeds if there is nothing.
func (t *Transaction) Remove(ctx context.Context, path []string) error {
	place, err := t.place("remove", path)
	if err != nil {
		return err
	}
	return t.c.Remove(ctx, place...)
}

// Commit publishes the contents with a message. If it fails the transaction
// stays open as it was; if what others have committed meanwhile does not merge
// the error is Conflict.
func (t *Transaction) Commit(ctx context.Context, msg string) error {
	if t.ended.Load() {
		return refuse("commit", t.dir, contract.Closed)
	}
	if err := t.c.writeAll(ctx, t.at("msg"), msg); err != nil {
		return err
	}
	if err := t.command(ctx, "commit"); err != nil {
		return err
	}
	t.ended.Store(true)
	return nil
}

// Abort ends the transaction without effect, also when ctx is done. After a
// commit it does nothing.
func (t *Transaction) Abort(ctx context.Context) {
	if t.ended.Swap(true) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	if err := t.command(ctx, "close"); err != nil {
		t.c.log.Warn("abort: " + err.Error())
	}
}

// abortTimeout is how long Abort waits for the server.
const abortTimeout = 5 * time.Second

// command writes a command to the file of commands.
func (t *Transaction) command(ctx context.Context, text string) error {
	f, err := t.c.Open(ctx, OWRITE, t.at("ctl")...)
	if err != nil {
		return err
	}
	defer f.Close(ctx)
	_, err = f.f.WriteAt(ctx, []byte(text), 0)
	return failAs(text, t.dir, err, contract.Conflict)
}
