package memstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sync"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/memstore"
	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/store"
)

func blobOf(text string) store.Object {
	return store.Object{Hash: object.Name(object.BlobType, []byte(text)), Type: object.BlobType, Data: []byte(text)}
}

func put(t *testing.T, o *memstore.Objects, objs ...store.Object) {
	t.Helper()
	s, err := o.Stage(t.Context(), objs)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Publish(); err != nil {
		t.Fatal(err)
	}
	s.Release()
}

func TestFS4_ObjectsAppearWhenPublished(t *testing.T) {
	t.Parallel()
	o := memstore.NewObjects()
	obj := blobOf("hello")
	s, err := o.Stage(t.Context(), []store.Object{obj})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := o.Read(obj.Hash); !errors.Is(err, datakit.NotExist) {
		t.Fatalf("read before Publish: %v, want NotExist", err)
	}
	if err := s.Publish(); err != nil {
		t.Fatal(err)
	}
	s.Release()
	copy(obj.Data, "HELLO") // the store has its own copy
	typ, data, err := o.Read(obj.Hash)
	if err != nil || typ != object.BlobType || string(data) != "hello" {
		t.Fatalf("Read = %v, %q, %v", typ, data, err)
	}
	if typ, size, err := o.Header(obj.Hash); typ != object.BlobType || size != 5 || err != nil {
		t.Fatalf("Header = %v, %d, %v", typ, size, err)
	}
	if err := o.Confirm([]datakit.Hash{obj.Hash, datakit.EmptyTree}); err != nil {
		t.Fatal(err)
	}
	if err := o.Confirm([]datakit.Hash{obj.Hash, {1}}); !errors.Is(err, datakit.NotExist) {
		t.Fatalf("Confirm of a missing object: %v, want NotExist", err)
	}
}

func TestFS4_DiscardedObjectsStayAway(t *testing.T) {
	t.Parallel()
	o := memstore.NewObjects()
	obj := blobOf("never")
	s, err := o.Stage(t.Context(), []store.Object{obj})
	if err != nil {
		t.Fatal(err)
	}
	s.Discard()
	if _, _, err := o.Header(obj.Hash); !errors.Is(err, datakit.NotExist) {
		t.Fatalf("Header = %v, want NotExist", err)
	}
}

func TestFS4_BlobsAreReadInPieces(t *testing.T) {
	t.Parallel()
	o := memstore.NewObjects()
	content := bytes.Repeat([]byte("0123456789"), 300_000)
	obj := store.Object{Hash: object.Name(object.BlobType, content), Type: object.BlobType,
		Content: bytes.NewReader(content), Size: int64(len(content))}
	put(t, o, obj, store.Object{Hash: datakit.Hash{7}, Type: object.CommitType, Data: []byte("x")})
	b, err := o.OpenBlob(obj.Hash)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	p := make([]byte, 7)
	n, err := b.ReadAt(t.Context(), p, b.Size()-3)
	if n != 3 || err != io.EOF || string(p[:3]) != "789" {
		t.Fatalf("ReadAt the end = %d, %v, %q", n, err, p[:n])
	}
	if _, err := o.OpenBlob(datakit.Hash{7}); !errors.Is(err, datakit.NotExist) {
		t.Fatalf("OpenBlob of a commit: %v, want NotExist", err)
	}
}

func TestFS4_ShortContentIsRefused(t *testing.T) {
	t.Parallel()
	o := memstore.NewObjects()
	_, err := o.Stage(t.Context(), []store.Object{{Type: object.BlobType, Content: bytes.NewReader([]byte("abc")), Size: 4}})
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("Stage = %v, want ErrUnexpectedEOF", err)
	}
}

func TestFS4_ClosedObjects(t *testing.T) {
	t.Parallel()
	o := memstore.NewObjects()
	s, err := o.Stage(t.Context(), []store.Object{blobOf("a")})
	if err != nil {
		t.Fatal(err)
	}
	o.Close()
	if err := s.Publish(); !errors.Is(err, datakit.Closed) {
		t.Errorf("Publish = %v, want Closed", err)
	}
	if _, _, err := o.Read(datakit.EmptyTree); !errors.Is(err, datakit.Closed) {
		t.Errorf("Read = %v, want Closed", err)
	}
}

var a, b, c = datakit.Hash{0xa}, datakit.Hash{0xb}, datakit.Hash{0xc}

func apply(t *testing.T, r *memstore.Refs, updates ...store.Update) {
	t.Helper()
	if err := errors.Join(r.Prepare(t.Context(), updates).Apply()...); err != nil {
		t.Fatal(err)
	}
}

func TestFS7_UpdatesCompareAndSet(t *testing.T) {
	t.Parallel()
	r := memstore.NewRefs()
	apply(t, r, store.Update{Branch: "master", New: a}, store.Update{Branch: "dev", New: b})
	errs := r.Prepare(t.Context(), []store.Update{
		{Branch: "master", Old: b, New: c},
		{Branch: "dev", Old: b, New: c},
		{Branch: "new", Old: a, New: c},
	}).Apply()
	for i, now := range []datakit.Hash{a, {}, {}} {
		var moved *store.MovedError
		if got := errors.As(errs[i], &moved); got != (i != 1) || got && moved.Now != now {
			t.Errorf("update %d: %v", i, errs[i])
		}
	}
	apply(t, r, store.Update{Branch: "master", Old: a})
	names, err := r.Branches(t.Context())
	if err != nil || !reflect.DeepEqual(names, []string{"dev"}) {
		t.Fatalf("Branches = %q, %v", names, err)
	}
	if h, err := r.Head(t.Context(), "dev"); h != c || err != nil {
		t.Fatalf("Head = %v, %v", h, err)
	}
	if h, err := r.Head(t.Context(), "master"); !h.IsZero() || err != nil {
		t.Fatalf("Head of a removed branch = %v, %v", h, err)
	}
}

func TestFS7_PreparedBranchesAreLocked(t *testing.T) {
	t.Parallel()
	r := memstore.NewRefs()
	up := []store.Update{{Branch: "master", New: a}}
	p := r.Prepare(t.Context(), up)
	if q := r.Prepare(t.Context(), up); q.Errs()[0] != datakit.Locked {
		t.Fatalf("second Prepare: %v, want Locked", q.Errs())
	} else {
		q.Abort() // frees nothing that is not its own
	}
	if q := r.Prepare(t.Context(), up); q.Errs()[0] != datakit.Locked {
		t.Fatalf("third Prepare: %v, want Locked", q.Errs())
	}
	p.Abort()
	apply(t, r, up...)
}

func TestFS29_NamesThatClash(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ have, create, other string }{
		{"a", "a/b", "a"},
		{"a/b/c", "a", "a/b/c"},
		{"a/b/c", "a/b", "a/b/c"},
		{"a/b", "a/c", ""},
		{"ab", "a", ""},
		{"a-b", "a/b", ""},
	} {
		t.Run(tt.have+" "+tt.create, func(t *testing.T) {
			for _, together := range []bool{false, true} {
				r := memstore.NewRefs()
				up := []store.Update{{Branch: tt.have, New: a}, {Branch: tt.create, New: b}}
				if !together {
					apply(t, r, up[0])
					up = up[1:]
				}
				errs := r.Prepare(t.Context(), up).Apply()
				err := errs[len(errs)-1]
				var clash *datakit.BranchConflictError
				if tt.other == "" && err != nil {
					t.Fatalf("together=%v: %v, want success", together, err)
				}
				if tt.other != "" && (!errors.As(err, &clash) || clash.Other != tt.other || !errors.Is(err, datakit.Exist)) {
					t.Fatalf("together=%v: %v, want a conflict with %s", together, err, tt.other)
				}
			}
		})
	}
}

func TestFS10_SubscribersSeeChangesInOrder(t *testing.T) {
	t.Parallel()
	r := memstore.NewRefs()
	var got []string
	cancel := r.Subscribe(func(branch string, head datakit.Hash) {
		got = append(got, fmt.Sprint(branch, " ", head[0]))
	})
	apply(t, r, store.Update{Branch: "m", New: a})
	apply(t, r, store.Update{Branch: "m", Old: a, New: b}, store.Update{Branch: "n", New: c})
	apply(t, r, store.Update{Branch: "m", Old: b})
	apply(t, r, store.Update{Branch: "n", Old: c, New: c}) // no change
	cancel()
	apply(t, r, store.Update{Branch: "m", New: a})
	if want := []string{"m 10", "m 11", "n 12", "m 0"}; !reflect.DeepEqual(got, want) {
		t.Fatalf("told %q, want %q", got, want)
	}
}

func TestFS215_ConcurrentUpdates(t *testing.T) {
	t.Parallel()
	r := memstore.NewRefs()
	var told []datakit.Hash
	r.Subscribe(func(_ string, head datakit.Hash) { told = append(told, head) })
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := 0; n < 50; {
				old, _ := r.Head(t.Context(), "m")
				up := store.Update{Branch: "m", Old: old, New: datakit.Hash{byte(i + 1), byte(n)}}
				if r.Prepare(t.Context(), []store.Update{up}).Apply()[0] == nil {
					n++
				}
			}
		})
	}
	wg.Wait()
	if h, _ := r.Head(t.Context(), "m"); len(told) != 400 || told[399] != h {
		t.Fatalf("%d heads told, want 400, the last being %v", len(told), h)
	}
}

func TestFS4_ClosedRefs(t *testing.T) {
	t.Parallel()
	r := memstore.NewRefs()
	p := r.Prepare(t.Context(), []store.Update{{Branch: "m", New: a}})
	r.Close()
	if err := p.Apply()[0]; !errors.Is(err, datakit.Closed) {
		t.Errorf("Apply = %v, want Closed", err)
	}
	if _, err := r.Branches(t.Context()); !errors.Is(err, datakit.Closed) {
		t.Errorf("Branches = %v, want Closed", err)
	}
	if _, err := r.Head(t.Context(), "m"); !errors.Is(err, datakit.Closed) {
		t.Errorf("Head = %v, want Closed", err)
	}
	r.Subscribe(func(string, datakit.Hash) {})() // no effect
}
