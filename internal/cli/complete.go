package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit"
)

// completionTime is how long a shell waits for what could come next on its
// command line, at most.
const completionTime = time.Second

// A completion returns the words that an argument can be, which begin with
// what is there of it.
type completion = func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective)

// completeFirst completes as many arguments as there are completions, each
// with its own, and none after them.
func (t *target) completeFirst(each ...completion) completion {
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= len(each) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return each[len(args)](cmd, args, word)
	}
}

// noCompletion is the completion of new names.
func noCompletion(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// folders completes a folder of this machine.
func folders(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// completeFlag has the value of a flag completed.
func completeFlag(cmd *cobra.Command, flag string, how completion) {
	if err := cmd.RegisterFlagCompletionFunc(flag, how); err != nil {
		panic(err) // there is no such flag, or this was done before
	}
}

// completeBranches completes the name of a branch, also where a commit could be,
// of which there are too many.
func (t *target) completeBranches(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	return t.complete(cmd, func(ctx context.Context, db *datakit.DB) []string { return branchesWith(ctx, db, word) })
}

// completePlaces completes a branch, and after the colon a path.
func (t *target) completePlaces(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	rev, path, ok := strings.Cut(word, ":")
	words, directive := t.complete(cmd, func(ctx context.Context, db *datakit.DB) []string {
		if ok {
			return pathsWith(ctx, db, rev, path)
		}
		return branchesWith(ctx, db, word)
	})
	return words, directive | cobra.ShellCompDirectiveNoSpace // for the colon, and what follows a slash
}

// complete asks the database, if it answers in time.
func (t *target) complete(cmd *cobra.Command, ask func(ctx context.Context, db *datakit.DB) []string) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
	defer cancel()
	db, err := t.open(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer db.Close()
	return ask(ctx, db), cobra.ShellCompDirectiveNoFileComp
}

// branchesWith returns the branches whose names begin with a prefix, and none
// if they cannot be read.
func branchesWith(ctx context.Context, db *datakit.DB, prefix string) (out []string) {
	names, _ := db.Branches(ctx)
	for _, name := range names {
		if strings.HasPrefix(name, prefix) {
			out = append(out, name)
		}
	}
	return out
}

// pathsWith returns what is in the directory that a path leads to, as far as
// its names begin like the end of the path.
func pathsWith(ctx context.Context, db *datakit.DB, rev, path string) (out []string) {
	tree, err := tree(ctx, db, rev)
	if err != nil {
		return nil
	}
	dir, prefix := "", path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		dir, prefix = path[:i+1], path[i+1:]
	}
	entries, _ := tree.ReadDir(ctx, datakit.Path(strings.TrimSuffix(dir, "/")))
	for _, e := range entries {
		if !strings.HasPrefix(e.Name, prefix) {
			continue
		}
		word := rev + ":" + dir + e.Name
		if e.Mode == datakit.Dir {
			word += "/"
		}
		out = append(out, word)
	}
	return out
}
