package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit"
)

func recordCommand(io stdio) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "record",
		Short: "Get and set values of a configuration record",
		Long: `Get and set values of a configuration record: keys, which are files, whose values
are looked up in several branches, one after the other (see the Go package
record). What is set is written to the first of them.`,
	}
	cmd.AddCommand(recordGetCommand(io), recordSetCommand(io))
	return cmd
}

// A recordView is a record as the commands see it.
type recordView struct {
	target
	lookup []string
	dir    string
}

func (r *recordView) flags(cmd *cobra.Command) {
	r.target.flags(cmd)
	cmd.Flags().StringSliceVar(&r.lookup, "lookup", []string{"master", "defaults"}, "`BRANCHES` to look up keys in, in this order")
	cmd.Flags().StringVar(&r.dir, "path", "", "`DIRECTORY` of the keys")
}

// key returns the path of a key.
func (r *recordView) key(key string) (datakit.Path, error) {
	path, err := datakit.ParsePath(key)
	if dir := strings.Trim(r.dir, "/"); dir != "" && err == nil {
		path = datakit.Path(dir).Join(path)
		err = path.Check()
	}
	return path, err
}

func recordGetCommand(io stdio) *cobra.Command {
	r := new(recordView)
	cmd := &cobra.Command{
		Use:   "get KEY...",
		Short: "Print the values of keys, each on a line",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.with(cmd, func(ctx context.Context, db *datakit.DB) error {
				for _, key := range args {
					if err := r.get(ctx, db, key, io); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	r.flags(cmd)
	return cmd
}

// get prints the value of a key in the first branch that has one.
func (r *recordView) get(ctx context.Context, db *datakit.DB, key string, io stdio) error {
	path, err := r.key(key)
	if err != nil {
		return err
	}
	for _, branch := range r.lookup {
		tree, err := db.Branch(branch).Tree(ctx)
		if err != nil {
			return err
		}
		value, err := tree.ReadFile(ctx, path)
		if errors.Is(err, datakit.NotExist) || errors.Is(err, datakit.NotDir) || errors.Is(err, datakit.IsDir) {
			continue
		}
		if err != nil {
			return err
		}
		v := map[string]string{"key": key, "value": string(value), "branch": branch}
		return r.print(io.out, v, func() error {
			_, err := fmt.Fprintln(io.out, strings.TrimSuffix(string(value), "\n"))
			return err
		})
	}
	cause := fmt.Errorf("no value in %s", strings.Join(r.lookup, ", "))
	return &datakit.Error{Op: "get", Subject: key, Kind: datakit.NotExist, Err: cause}
}

func recordSetCommand(io stdio) *cobra.Command {
	r := new(recordView)
	var msg string
	cmd := &cobra.Command{
		Use:   "set KEY=VALUE...",
		Short: "Set keys, all in one commit",
		Long: `Set keys, all in one commit. "KEY=" sets the empty text, and "KEY" alone removes
what was set, so that the value of the next branch counts.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.with(cmd, func(ctx context.Context, db *datakit.DB) error {
				if len(r.lookup) == 0 {
					return errors.New("--lookup names no branch")
				}
				if msg == "" {
					msg = "set " + keysOf(args)
				}
				return r.update(ctx, db, r.lookup[0], msg, io, func(tx *datakit.Tx) error {
					for _, arg := range args {
						if err := r.set(ctx, tx, arg); err != nil {
							return err
						}
					}
					return nil
				})
			})
		},
	}
	r.flags(cmd)
	cmd.Flags().StringVarP(&msg, "message", "m", "", "`TEXT` of the commit")
	return cmd
}

// keysOf returns the keys of settings, whose values may be secret.
func keysOf(args []string) string {
	keys := make([]string, len(args))
	for i, arg := range args {
		keys[i], _, _ = strings.Cut(arg, "=")
	}
	return strings.Join(keys, ", ")
}

func (r *recordView) set(ctx context.Context, tx *datakit.Tx, arg string) error {
	key, value, ok := strings.Cut(arg, "=")
	path, err := r.key(key)
	if err != nil {
		return err
	}
	if !ok {
		if err := tx.Remove(ctx, path); !errors.Is(err, datakit.NotExist) {
			return err
		}
		return nil
	}
	if err := tx.MkdirAll(ctx, path.Dir()); err != nil {
		return err
	}
	return tx.WriteFile(ctx, path, []byte(value))
}
