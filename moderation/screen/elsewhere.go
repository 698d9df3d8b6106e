package screen

import (
	"context"
	"time"

	"duyet/comments"
)

// ElsewhereWithin is how long a check may take that asks somebody else.
const ElsewhereWithin = 5 * time.Second

// Names and codes of the checks that ask somebody else; moderation/outside asks.
const (
	CheckAkismet = "akismet"
	CheckHook    = "hook"

	CodeSpam    = "spam"
	CodeBlatant = "blatant"  // spam that nobody needs to see
	CodeHold    = "hold"     // without a reason
	CodeHoldWhy = "hold_why" // Args "reason"
	CodeSpamWhy = "spam_why" // Args "reason"
	ReasonMost  = 200        // bytes of Args "reason"
)

// looker is a Check's Look.
type looker = func(ctx context.Context, c comments.Candidate) ([]comments.Signal, error)

// Akismet asks the service of that name, by look.
func Akismet(look looker) Check {
	return Check{Name: CheckAkismet, Codes: []string{CodeSpam, CodeBlatant}, Look: look, Within: ElsewhereWithin}
}

// Hook asks a service of the site's own, by look.
func Hook(look looker) Check {
	return Check{Name: CheckHook, Codes: []string{CodeHold, CodeSpam, CodeHoldWhy, CodeSpamWhy}, Look: look, Within: ElsewhereWithin}
}
