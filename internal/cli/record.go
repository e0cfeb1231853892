package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit"
)

func recordCommand(std *stdio) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "record",
		Short: "Get and set values of a configuration record",
		Long: `Get and set values of a configuration record: keys, which are files, whose
values are looked up in several branches, one after the other (see the Go
package record). What is set is written to the first of them.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(recordGetCommand(std), recordSetCommand(std))
	return cmd
}

// A recordView is a record as the commands see it.
type recordView struct {
	target
	lookup        []string
	dir           string
	create, unset bool
}

func (r *recordView) flags(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&r.lookup, "lookup", []string{"master", "defaults"}, "`BRANCHES` to look up keys in, in this order")
	cmd.Flags().StringVar(&r.dir, "path", "", "`DIRECTORY` of the keys")
	completeFlag(cmd, "lookup", r.completeBranches)
	completeFlag(cmd, "path", noCompletion)
}

// key returns the path of a key, for the command op.
func (r *recordView) key(op, key string) (datakit.Path, error) {
	path, err := datakit.ParsePath(key)
	if dir := strings.Trim(r.dir, "/"); dir != "" && err == nil {
		path = datakit.Path(dir).Join(path)
		err = path.Check()
	}
	return path, about(op, quoted(key), err, "")
}

func recordGetCommand(std *stdio) *cobra.Command {
	r := &recordView{target: target{stdio: std}}
	cmd := r.command(&cobra.Command{
		Use:               "get KEY...",
		Short:             "Print the values of keys, each on a line",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: r.completeKeys,
	}, func(ctx context.Context, db *datakit.DB, args []string) error {
		for _, key := range args {
			if err := r.get(ctx, db, key); err != nil {
				return err
			}
		}
		return nil
	})
	r.flags(cmd)
	return cmd
}

// A valueJSON is what is printed of a value.
type valueJSON struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Branch string `json:"branch"` // the one that has it
}

// get prints the value of a key.
func (r *recordView) get(ctx context.Context, db *datakit.DB, key string) error {
	v, err := r.find(ctx, db, "get", key)
	if err != nil {
		return err
	}
	return r.print(v, func() error {
		_, err := fmt.Fprintln(r.out, strings.TrimSuffix(v.Value, "\n"))
		return err
	})
}

// find looks a key up, for the command op.
func (r *recordView) find(ctx context.Context, db *datakit.DB, op, key string) (v valueJSON, err error) {
	path, err := r.key(op, key)
	if err != nil {
		return v, err
	}
	for _, branch := range r.lookup {
		tree, err := db.Branch(branch).Tree(ctx)
		if err != nil {
			return v, about(op, key, err, "")
		}
		value, err := tree.ReadFile(ctx, path)
		if notThere(err) {
			continue
		}
		if err != nil {
			return v, about(op, key, err, "")
		}
		return valueJSON{key, string(value), branch}, nil
	}
	cause := fmt.Errorf("no value in %s", strings.Join(r.lookup, ", "))
	return v, &datakit.Error{Op: op, Subject: key, Kind: datakit.NotExist, Err: cause}
}

// notThere reports whether err says that there is no file at a path.
func notThere(err error) bool {
	for _, kind := range []datakit.Kind{datakit.NotExist, datakit.NotDir, datakit.IsDir, datakit.NotFile} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

func recordSetCommand(std *stdio) *cobra.Command {
	r := &recordView{target: target{stdio: std}}
	var msg string
	cmd := r.command(&cobra.Command{
		Use:   "set KEY=VALUE...",
		Short: "Set keys, all in one commit",
		Long: `Set keys, all in one commit. "KEY=" sets the empty text. A KEY that none of the
branches has is an error, as it may be mistyped, unless --create makes it.

With --unset what was set of each KEY is removed from the first branch, so that
the value of the next one counts.`,
		Example: `  datakit record set --path db ncpu=4 name=moby
  datakit record set --path db --unset ncpu`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: r.completeKeys,
	}, func(ctx context.Context, db *datakit.DB, args []string) error {
		settings, err := r.settings(ctx, db, args)
		if err != nil {
			return err
		}
		if msg == "" {
			msg = r.message(settings)
		}
		return r.update(ctx, db, "set", r.lookup[0], msg, func(tx *datakit.Tx) error { return r.set(ctx, tx, settings) })
	})
	r.flags(cmd)
	f := cmd.Flags()
	f.StringVarP(&msg, "message", "m", "", "`TEXT` of the commit")
	f.BoolVar(&r.create, "create", false, "make keys that no branch has")
	f.BoolVar(&r.unset, "unset", false, "remove what was set")
	return cmd
}

// A setting is a key with the value it is to have.
type setting struct {
	key   string
	path  datakit.Path
	value string
}

// settings reads the arguments, and checks that the keys are known.
func (r *recordView) settings(ctx context.Context, db *datakit.DB, args []string) ([]setting, error) {
	if len(r.lookup) == 0 {
		return nil, usagef("set: --lookup names no branch")
	}
	if r.unset && r.create {
		return nil, usagef("set: --create and --unset: use one of them")
	}
	var settings []setting
	for _, arg := range args {
		key, value, hasValue := strings.Cut(arg, "=")
		path, err := r.key("set", key)
		if err != nil {
			return nil, err
		}
		if r.unset && hasValue {
			return nil, usagef("set %s: with --unset there is no value", key)
		}
		if !r.create && !r.unset {
			if _, err := r.find(ctx, db, "set", key); err != nil {
				return nil, about("set", key, err, "--create makes a new key")
			}
		}
		if !r.unset && !hasValue {
			return nil, usagef("set %s: write %s=VALUE, or --unset to remove what was set", key, key)
		}
		settings = append(settings, setting{key, path, value})
	}
	return settings, nil
}

// message returns the message of the commit, without values, which may be
// secret.
func (r *recordView) message(settings []setting) string {
	keys := make([]string, len(settings))
	for i, s := range settings {
		keys[i] = s.key
	}
	verb := "set "
	if r.unset {
		verb = "unset "
	}
	return verb + strings.Join(keys, ", ")
}

func (r *recordView) set(ctx context.Context, tx *datakit.Tx, settings []setting) error {
	for _, s := range settings {
		if err := r.setOne(ctx, tx, s); err != nil {
			return about("set", s.key, err, "")
		}
	}
	return nil
}

func (r *recordView) setOne(ctx context.Context, tx *datakit.Tx, s setting) error {
	if r.unset {
		if _, err := tx.ReadFile(ctx, s.path); notThere(err) {
			return &datakit.Error{Kind: datakit.NotExist, Err: fmt.Errorf("it is not set in %s", r.lookup[0])}
		}
		return tx.Remove(ctx, s.path)
	}
	if err := tx.MkdirAll(ctx, s.path.Dir()); err != nil {
		return err
	}
	return tx.WriteFile(ctx, s.path, []byte(s.value))
}

// completeKeys completes the keys below the directory of the record.
func (r *recordView) completeKeys(cmd *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	return r.complete(cmd, func(ctx context.Context, db *datakit.DB) (out []string) {
		dir := datakit.Path(strings.Trim(r.dir, "/"))
		seen := make(map[string]bool)
		for _, branch := range r.lookup {
			tree, err := db.Branch(branch).Tree(ctx)
			if err != nil {
				return out
			}
			for _, key := range keysWith(ctx, tree.Sub(dir), word) {
				if !seen[key] {
					seen[key] = true
					out = append(out, key)
				}
			}
		}
		return out
	})
}

// keysWith returns the files of a tree whose paths begin with a prefix.
func keysWith(ctx context.Context, tree *datakit.Tree, prefix string) (keys []string) {
	files(ctx, tree, datakit.Root, func(path datakit.Path, _ datakit.Entry) error {
		if strings.HasPrefix(path.String(), prefix) {
			keys = append(keys, path.String())
		}
		return nil
	})
	return keys
}
