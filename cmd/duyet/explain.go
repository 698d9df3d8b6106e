package main

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"duyet/comments"
	"duyet/moderation"
)

// kinds are what errors end in for programs; people are told what stands before.
var kinds = []error{
	comments.ErrBadSetting, comments.ErrUnknownSetting, comments.ErrExists, comments.ErrConflict,
	comments.ErrInvalid, comments.ErrForbidden, comments.ErrDamaged,
}

// explain puts an error into words that say what to do.
func explain(err error) string {
	var invalid *comments.InvalidError
	switch {
	case errors.As(err, &invalid) && len(invalid.Fields) > 0:
		return explainField(invalid.Fields[0])
	case errors.Is(err, comments.ErrVersion):
		return "somebody else changed it at the same moment: run the command again"
	case errors.Is(err, context.Canceled):
		return "interrupted"
	}
	text := err.Error()
	for _, kind := range kinds {
		text = strings.TrimSuffix(text, ": "+kind.Error())
	}
	return text
}

func explainField(f comments.FieldError) string {
	switch f.Field + " " + f.Code {
	case "email " + moderation.CodeNoEmail:
		return "that is no e-mail address"
	case "role " + moderation.CodeUnknownRole:
		return "a role is one of owner, admin, moderator, viewer"
	case "site " + moderation.CodeUnknownSite:
		return "there is no such site: 'duyet site list' shows those there are"
	case "password " + moderation.CodeTooShort:
		return "a password needs at least " + strconv.Itoa(moderation.PasswordLeast) + " bytes"
	case "password " + comments.CodeTooLong:
		return "a password may have at most " + strconv.Itoa(moderation.PasswordMost) + " bytes"
	}
	return f.Field + ": " + strings.ReplaceAll(f.Code, "_", " ")
}
