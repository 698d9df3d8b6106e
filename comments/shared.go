package comments

import "context"

type sharedKey struct{}

// Shared marks reads whose result all readers of a site are given alike. A store may take
// them from a copy of its own that knows of everything which observers were told of by
// then; reads without the mark see all that is committed.
func Shared(ctx context.Context, site string) context.Context {
	return context.WithValue(ctx, sharedKey{}, site)
}

// SharedBy is the site of a mark, "" without one.
func SharedBy(ctx context.Context) string {
	site, _ := ctx.Value(sharedKey{}).(string)
	return site
}
