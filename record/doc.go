// Package record is typed configuration over branches.
//
// A Record is a view of some keys, which are files below one directory, through
// several branches. What users set is in the first of the lookup branches. A
// branch of defaults, which usually is the last, has what the program was built
// with. A branch of the state gets a copy of what is in effect, to be looked at.
//
//	r, err := record.Open(ctx, db, record.Config{
//		Lookup:   []string{"master", "defaults"},
//		Defaults: "defaults",
//		State:    "state",
//		Path:     "db/config",
//	})
//	…
//	defer r.Close()
//	name := record.String(r, "name", "moby")
//	cpus := record.Int(r, "ncpu", 1)
//	idle := record.Duration(r, "idle", time.Minute)
//	for {
//		if err := r.Wait(ctx); err != nil {
//			return err
//		}
//		configure(name.Value(), cpus.Value(), idle.Value())
//	}
//
// # When values change
//
// A [Field] changes only within [Record.Wait], [Record.Seal] and
// [Record.Upgrade], so that who calls these sees all fields as they were at one
// moment. Reading one is a read of memory and never fails: where there is no
// value, or none that can be understood, it has its default. [Field.Err] tells.
//
// Each Wait makes a new [Version] of the record, and a field has the version in
// which it last changed. Who keeps the version that [Field.Get] returned can ask
// [Field.HasChanged] whether there is something to do.
//
// # Goroutines
//
// A record has one goroutine for each lookup branch, which [Record.Close] ends
// and waits for. All methods may be called concurrently.
package record
