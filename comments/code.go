package comments

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// CodeKey is what stores keep of a comment's receipt code: a part of a hash under the
// installation's secret, which says nothing of the code to whoever reads the store. Two
// comments may share one; the code itself tells them apart. 0 is none.
type CodeKey uint32

// Codes makes and knows the short codes by which people name their comments;
// comments/receipt implements it.
type Codes interface {
	// Code is a comment's code as it is shown.
	Code(id ID) string
	// IsCode reports whether what was typed is the comment's code.
	IsCode(id ID, typed string) bool
	// CodeKey is the key of a comment's code.
	CodeKey(id ID) CodeKey
	// TypedKey is the key of a code as it was typed; false when it can be none.
	TypedKey(typed string) (CodeKey, bool)
}

// CodeKeeper finds comments by their receipt codes.
type CodeKeeper interface {
	// ByCode is the comments of a site whose code has a key, in any status, oldest first.
	// The cost depends on the weeks in which comments were written, not on the comments.
	ByCode(ctx context.Context, site string, key CodeKey) ([]Comment, error)
	// FillCodes has comments be found that were stored without a key: by an earlier
	// release, or by a move. It writes in portions, beside readers and writers, and goes on
	// the next time where it was broken off. Whoever has none left to fill is quick.
	FillCodes(ctx context.Context, key func(ID) CodeKey) error
}

// Found is a comment that its author has found by its code.
type Found struct {
	Own
	Receipt string
}

// CodeBytes bounds what is read of a typed code.
const CodeBytes = 64

// LookUp is the comment of a receipt code, and its receipt, which from then on proves it.
// A code is short enough to be written down, so it can be guessed at: hence the name under
// which the comment was written has to be known too, tries are few for a network and for
// a site, and one answer stands for a code of nothing, of another site and a wrong name.
// Errors: *InvalidError on "receipt_code" and "name", *LimitedError, ErrUnavailable.
func (s *Service) LookUp(ctx context.Context, site Site, typed, name string, addr netip.Addr) (Found, error) {
	if !utf8.ValidString(typed) || !utf8.ValidString(name) {
		return Found{}, fmt.Errorf("not UTF-8: %w", ErrMalformed)
	}
	var wrong []FieldError
	if isBlank(typed) {
		wrong = append(wrong, FieldError{Field: "receipt_code", Code: CodeRequired})
	}
	name, bad := textRule{"name", true, true, site.Settings.NameMax, NameBytes}.check(name)
	if bad != nil {
		wrong = append(wrong, *bad)
	}
	if wrong != nil {
		return Found{}, &InvalidError{Fields: wrong}
	}
	giveBack, err := s.mayLookUp(site, addr)
	if err != nil {
		return Found{}, err
	}
	c, err := s.byCode(ctx, site, typed, name)
	if err != nil {
		if !errors.Is(err, errNoSuchCode) {
			giveBack()
			return Found{}, err
		}
		return Found{}, Invalid("receipt_code", CodeUnknownReceipt)
	}
	giveBack() // who knows a code guesses at none
	own, err := s.own(ctx, site, c)
	if err != nil {
		return Found{}, err
	}
	receipt, err := s.cfg.Receipts.Issue(c.ID)
	return Found{own, receipt}, err
}

// mayLookUp counts a try before it is made, so that racing ones get no more of them; the
// limits hold whatever the site has set.
func (s *Service) mayLookUp(site Site, addr netip.Addr) (giveBack func(), err error) {
	one, err := s.cfg.Limiter.Take(MeterLookUp, Use{Site: site.ID, Addr: addr})
	if err != nil {
		return one, err
	}
	all, err := s.cfg.Limiter.Take(MeterLookUpSite, Use{Site: site.ID})
	if err != nil {
		one()
		return all, err
	}
	return func() { one(); all() }, nil
}

var errNoSuchCode = fmt.Errorf("receipt code: %w", ErrNotFound)

// byCode does the same work whatever is wrong with a code.
func (s *Service) byCode(ctx context.Context, site Site, typed, name string) (Comment, error) {
	if s.cfg.Codes == nil {
		return Comment{}, errNoSuchCode
	}
	var key CodeKey
	var can bool
	if len(typed) <= CodeBytes {
		key, can = s.cfg.Codes.TypedKey(typed)
	}
	list, err := s.cfg.Store.ByCode(ctx, site.ID, key)
	if err != nil {
		return Comment{}, err
	}
	for _, c := range list {
		if can && s.cfg.Codes.IsCode(c.ID, typed) && wroteAs(c, name) {
			return c, nil
		}
	}
	return Comment{}, errNoSuchCode
}

// wroteAs reports whether a comment is, or was, somebody's of a name.
func wroteAs(c Comment, name string) bool {
	return sameName(c.Name, name) || c.Public != nil && sameName(c.Public.Name, name)
}

func sameName(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}

// codeKey is by what a comment will be found.
func (s *Service) codeKey(id ID) CodeKey {
	if s.cfg.Codes == nil {
		return 0
	}
	return s.cfg.Codes.CodeKey(id)
}
