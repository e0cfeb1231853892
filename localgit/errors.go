package localgit

import (
	"strings"
)

// failures are what has failed, in one line. They are errors.Join's otherwise.
type failures []error

func (f failures) Error() string {
	texts := make([]string, len(f))
	for i, err := range f {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (f failures) Unwrap() []error { return f }

// join returns those of the errors that are not nil as one, or nil.
func join(errs ...error) error {
	var f failures
	for _, err := range errs {
		if err != nil {
			f = append(f, err)
		}
	}
	if len(f) == 0 {
		return nil
	}
	return f
}
