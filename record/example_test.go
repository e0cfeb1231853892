package record_test

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/memdb"
	"github.com/datakit/datakit/record"
)

// A program that follows its configuration.
func Example() {
	ctx := context.Background()
	db := memdb.New(nil) // or connect.Open(ctx, "tcp://server", nil)
	defer db.Close()

	r, err := record.Open(ctx, db, record.Config{
		Lookup:   []string{"master", "defaults"},
		Defaults: "defaults",
		State:    "state",
		Path:     "moby",
	})
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	name := record.String(r, "name", "moby")
	cpus := record.Int(r, "ncpu", 1)
	idle := record.Duration(r, "net/idle", time.Minute)
	addr := record.Text(r, "net/addr", netip.MustParseAddr("127.0.0.1"))
	if err := r.Wait(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(name.Value(), cpus.Value(), idle.Value(), addr.Value())

	// Somebody else makes a change.
	err = db.Branch("master").Update(ctx, "Use more", func(tx *datakit.Tx) error {
		if err := tx.MkdirAll(ctx, "moby"); err != nil {
			return err
		}
		return tx.WriteFile(ctx, "moby/ncpu", []byte("4\n"))
	})
	if err != nil {
		log.Fatal(err)
	}
	_, before := cpus.Get()
	if err := r.Wait(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(cpus.Value(), cpus.HasChanged(before), name.HasChanged(before))
	// Output:
	// moby 1 1m0s 127.0.0.1
	// 4 true false
}

// Several fields are set in one commit.
func ExampleRecord_Set() {
	ctx := context.Background()
	db := memdb.New(nil)
	defer db.Close()
	r, err := record.Open(ctx, db, record.Config{Lookup: []string{"master"}})
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	name := record.String(r, "name", "moby")
	cpus := record.Int(r, "ncpu", 1)
	idle := record.Duration(r, "idle", time.Minute)
	if err := r.Set(ctx, "Make it big", name.To("big"), cpus.To(16), idle.Unset()); err != nil {
		log.Fatal(err)
	}
	if err := r.Seal(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(name.Value(), cpus.Value(), idle.Value())
	// Output: big 16 1m0s
}

// Upgrade replaces the defaults that an older program has written, and keeps
// what was set.
func ExampleRecord_Upgrade() {
	ctx := context.Background()
	db := memdb.New(nil)
	defer db.Close()
	cfg := record.Config{Lookup: []string{"master", "defaults"}, Defaults: "defaults"}
	r, err := record.Open(ctx, db, cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	cpus := record.Int(r, "ncpu", 2)
	memory := record.String(r, "memory", "2G")
	if err := cpus.Set(ctx, "the user's choice", 8); err != nil {
		log.Fatal(err)
	}
	if err := r.Upgrade(ctx, 2); err != nil {
		log.Fatal(err)
	}
	fmt.Println(cpus.Value(), memory.Value())
	// Output: 8 2G
}
