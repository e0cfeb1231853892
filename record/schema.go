package record

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/datakit/datakit"
)

// schemaKey is the key of the version of the schema, which each record has.
const schemaKey = "schema-version"

// A schema is the field of schemaKey. Its default, and nothing else's, changes.
type schema struct {
	slot *slot
	def  int
}

// defineSchema makes the field. What the branch of defaults has already stays,
// as the defaults there are of that version.
func (r *Record) defineSchema() {
	r.schema = schema{def: 1}
	s, err := r.newSlot(schemaKey, textOf("1"))
	if err == nil {
		s.keep = true
		s.take = func(content, Version) {} // upgrade reads it
		r.schema.slot = s
	}
	r.define(s, err)
}

func (s *schema) parse(c content) int {
	n, err := strconv.Atoi(strings.TrimSpace(c.text))
	if err != nil {
		return s.def
	}
	return n
}

// Upgrade makes n the version of the schema, unless it has that or a greater
// one: it writes the defaults of all fields in one commit, whatever defaults
// were there, and updates the fields as Wait does. What was set in other lookup
// branches stays in effect.
//
// Call it after all fields are defined with their new defaults.
func (r *Record) Upgrade(ctx context.Context, n int) error {
	ctx, done, err := r.begin(ctx)
	if err != nil {
		return err
	}
	return done(r.upgrade(ctx, n))
}

// upgrade is Upgrade in one's turn.
func (r *Record) upgrade(ctx context.Context, n int) error {
	trees, _, err := r.snapshots(ctx)
	if err != nil {
		return err
	}
	c, err := trees.find(ctx, r.schema.slot.path)
	if err != nil {
		return err
	}
	if n <= r.schema.parse(c) {
		return nil
	}
	if err := r.writeSchema(ctx, n); err != nil {
		return err
	}
	r.schema.def = n
	r.schema.slot.def = textOf(strconv.Itoa(n))
	return r.update(ctx, true, false)
}

// writeSchema writes all defaults, with n as that of the schema version.
func (r *Record) writeSchema(ctx context.Context, n int) error {
	slots := last(r.fields())
	changes := make([]change, len(slots))
	for i, s := range slots {
		changes[i] = change{s.path, s.def}
		if s == r.schema.slot {
			changes[i].to = textOf(strconv.Itoa(n))
		}
	}
	if r.cfg.Defaults != "" {
		msg := fmt.Sprintf("Upgrade to schema version %d", n)
		err := r.db.Branch(r.cfg.Defaults).Update(ctx, msg, func(tx *datakit.Tx) error { return write(ctx, tx, changes) })
		if err != nil {
			return err
		}
	}
	for _, s := range slots {
		s.written = true
	}
	return nil
}
