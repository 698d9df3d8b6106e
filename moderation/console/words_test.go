package console_test

import (
	"testing"

	"duyet/comments"
	"duyet/moderation"
	"duyet/moderation/outside"
	"duyet/moderation/screen"
	"duyet/templates"
)

// Whatever a check, a reason or an event is called, there are words for it.
func TestEverythingHasWords(t *testing.T) {
	set, err := templates.New(templates.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, code := range screen.Codes() {
		ids = append(ids, "signal."+code[0]+"."+code[1])
	}
	for _, code := range comments.DefaultSettings().Reasons {
		ids = append(ids, "reason."+code)
	}
	for _, s := range comments.Statuses {
		ids = append(ids, "status."+string(s), "queue."+string(s), "notice."+string(s), "conflict."+string(s), "event.decided."+string(s))
	}
	for _, r := range moderation.Roles {
		ids = append(ids, "role."+string(r))
	}
	for _, a := range []moderation.Action{moderation.Approve, moderation.Reject, moderation.Spam, moderation.Trash, moderation.Restore} {
		ids = append(ids, "action."+string(a), "conflict.anyway."+string(a))
	}
	for _, k := range []comments.Kind{
		comments.KindSubmitted, comments.KindDecided, comments.KindSiteAdded, comments.KindSiteChanged, comments.KindSiteRemoved,
		moderation.KindModeratorAdded, moderation.KindModeratorChanged, moderation.KindModeratorDisabled, moderation.KindModeratorRemoved,
		moderation.KindPasswordChanged, moderation.KindTokenAdded, moderation.KindSignedIn, moderation.KindSignedOut,
		moderation.KindSignInFailed, moderation.KindRestored, moderation.KindUndone,
		moderation.KindAttackBegan, moderation.KindAttackEnded, moderation.KindVouched,
		moderation.KindBulkStarted, moderation.KindBulkEnded, moderation.KindBulkCancelled, moderation.KindBulkUndoing, moderation.KindBulkUndone,
		moderation.KindScheduleSet, moderation.KindScheduleCleared, moderation.KindSchedulePublished, moderation.KindScheduleDropped,
		screen.KindBanMade, screen.KindBanLifted, screen.KindRuleChanged, screen.KindRuleRemoved, screen.KindWordsChanged, screen.KindWordsRemoved, outside.KindChanged,
	} {
		ids = append(ids, "event."+string(k))
	}
	for _, trouble := range outside.Troubles {
		ids = append(ids, "elsewhere.trouble."+string(trouble))
	}
	for _, verdict := range []string{"ok", "hold", "spam"} {
		ids = append(ids, "elsewhere.tried."+verdict)
	}
	for _, code := range []string{outside.CodeNoURL, outside.CodeNoHTTPS, outside.CodeAddress, comments.CodeRequired} {
		ids = append(ids, "field.url."+code)
	}
	ids = append(ids, "field.key."+outside.CodeBadKey, "field.key."+comments.CodeRequired, "field.blog."+outside.CodeNoURL, "field.blog."+comments.CodeRequired,
		"field.secret."+outside.CodeBadSecret, "field.secret."+comments.CodeRequired, "field.limit."+outside.CodeBadLimit)
	for _, k := range screen.BanKinds {
		ids = append(ids, "ban.kind."+string(k), "ban.kind_help."+string(k))
	}
	for _, f := range screen.Facts() {
		ids = append(ids, "rule.fact."+string(f.Fact))
	}
	for _, op := range screen.Ops() {
		ids = append(ids, "rule.op."+string(op))
	}
	for _, e := range []screen.Effect{screen.EffectHold, screen.EffectTwo, screen.EffectSpam} {
		ids = append(ids, "rule.then."+string(e), "rule.then_help."+string(e), "rule.past."+string(e))
	}
	for _, code := range []string{screen.CodeNoNetwork, screen.CodeNoAuthor, screen.CodeNoDomain, screen.CodeTooShort, screen.CodeTooWide} {
		ids = append(ids, "field.value."+code)
	}
	for _, code := range []string{screen.CodeUnknownFact, screen.CodeUnknownOp, screen.CodeNoNumber, comments.CodeRequired, comments.CodeTooLong} {
		ids = append(ids, "rule.wrong_why."+code)
	}
	for _, state := range []moderation.BulkState{
		moderation.BulkRunning, moderation.BulkDone, moderation.BulkCancelled, moderation.BulkStopped, moderation.BulkUndoing, moderation.BulkUndone,
	} {
		ids = append(ids, "bulk.state."+string(state))
	}
	for _, why := range []moderation.AttackWhy{moderation.AttackByHand, moderation.AttackArrivals, moderation.AttackWrong, moderation.AttackBySetting} {
		ids = append(ids, "attack.why."+string(why))
	}
	for _, lang := range templates.Languages {
		l := set.Locale(lang, nil)
		for _, id := range append(ids, "queue.suspect", "action.undo", "field.any.unknown_action", "where.name", "where.title", "where.content") {
			if !l.Has(id) {
				t.Errorf("%s has no %s", lang, id)
			}
		}
	}
}
