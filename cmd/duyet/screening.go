package main

import (
	"context"

	"duyet/comments"
	"duyet/moderation"
	"duyet/moderation/screen"
)

// screening starts the checks that keep something, and is the list of all.
func (in *installation) screening() comments.Screener {
	desk := screen.Desk{
		Documents: in.store.Moderation(), Queues: in.store.Moderation(), Now: in.now,
		Allowed: func(ctx context.Context, who moderation.Moderator, p moderation.Permission, site string) error {
			return in.moderation.Allowed(ctx, who, p, site)
		},
	}
	in.lists = screen.NewLists(desk)
	in.store.Comments().Observe(in.lists.Observe)
	return screen.Default(in.lists.Check())
}
