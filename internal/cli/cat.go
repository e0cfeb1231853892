package cli

import (
	"context"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit"
)

func catCommand(std *stdio) *cobra.Command {
	t := &target{stdio: std}
	return t.command(&cobra.Command{
		Use:   "cat REV:PATH...",
		Short: "Print files of branches or commits",
		Long: `Print files of branches or commits, one after the other, and of symlinks where
they lead to. With --json what is not UTF-8 is printed as "base64", and all
else as "content".
` + revisions,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: t.completePlaces,
	}, func(ctx context.Context, db *datakit.DB, args []string) error {
		for _, arg := range args {
			if err := t.cat(ctx, db, arg); err != nil {
				return err
			}
		}
		return nil
	})
}

// cat prints a file as it is, or as a JSON object with its content.
func (t *target) cat(ctx context.Context, db *datakit.DB, arg string) error {
	p, err := parsePlace("cat", arg)
	if err != nil {
		return err
	}
	tree, err := tree(ctx, db, p.rev)
	if err != nil {
		return err
	}
	if p.path == datakit.Root {
		return about("cat", p.String(), datakit.IsDir, fmt.Sprintf("name a file in it, as %s:PATH", p.rev))
	}
	b, err := tree.Open(ctx, p.path)
	if datakit.KindOf(err) == datakit.IsDir {
		return about("cat", p.String(), err, fmt.Sprintf(`"datakit ls %s" lists it`, p))
	}
	if err != nil {
		return about("cat", p.String(), err, "")
	}
	defer b.Close()
	if err := t.writeContent(ctx, p, b); err != nil {
		return about("cat", p.String(), err, "")
	}
	return nil
}

// A fileJSON is what is printed of a file.
type fileJSON struct {
	pathJSON
	Content *string `json:"content,omitempty"`
	Base64  []byte  `json:"base64,omitempty"` // in place of Content if that is not UTF-8
}

func (t *target) writeContent(ctx context.Context, p place, b datakit.Blob) error {
	r := datakit.NewReader(ctx, b)
	if !t.json {
		_, err := io.Copy(t.out, r)
		return err
	}
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	v := fileJSON{pathJSON: pathOf(p.path)}
	if utf8.Valid(content) {
		text := string(content)
		v.Content = &text
	} else {
		v.Base64 = content
	}
	return t.print(v, nil)
}
