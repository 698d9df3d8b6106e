package pagekey

// tracking lists the query parameters that tell who sent a reader, never which article
// it is: the name in lower case, or its beginning followed by "*", and whose it is. Generic names (ref,
// source, id, si) are left alone, since somewhere they choose the article; a site adds its
// own by a setting.
var tracking = [...]struct{ pattern, why string }{
	{"utm_*", "Google Analytics and everyone who copied it: campaign, source, medium"},
	{"_ga", "Google Analytics: visitor, across domains"},
	{"_gl", "Google Analytics: visitor, across domains, newer"},
	{"gclid", "Google Ads: click"},
	{"gclsrc", "Google Ads: where the click was bought"},
	{"dclid", "Google Display: click"},
	{"gbraid", "Google Ads: click in an app on iOS"},
	{"wbraid", "Google Ads: click from an app on iOS"},
	{"gad_source", "Google Ads: kind of placement"},
	{"gad_campaignid", "Google Ads: campaign"},
	{"srsltid", "Google Merchant: search result"},
	{"fbclid", "Facebook: click"},
	{"fb_action_ids", "Facebook: shared story"},
	{"fb_action_types", "Facebook: kind of shared story"},
	{"fb_comment_id", "Facebook: comment linked to"},
	{"fb_ref", "Facebook: place of a button"},
	{"fb_source", "Facebook: place of a link"},
	{"igsh", "Instagram: who shared"},
	{"igshid", "Instagram: who shared, older"},
	{"zalo_*", "Zalo: share and click"},
	{"zarsrc", "Zalo: place in the app"},
	{"gidzl", "Zalo: reader in the app"},
	{"msclkid", "Microsoft Advertising: click"},
	{"ttclid", "TikTok: click"},
	{"twclid", "X: click"},
	{"li_fat_id", "LinkedIn: reader"},
	{"rdt_cid", "Reddit: click"},
	{"epik", "Pinterest: click"},
	{"sccid", "Snapchat: click"},
	{"yclid", "Yandex: click"},
	{"ysclid", "Yandex: search result"},
	{"mc_cid", "Mailchimp: campaign"},
	{"mc_eid", "Mailchimp: recipient"},
	{"mkt_tok", "Marketo: recipient"},
	{"_hsenc", "HubSpot: recipient"},
	{"_hsmi", "HubSpot: mailing"},
	{"vero_id", "Vero: recipient"},
	{"oly_anon_id", "Omeda: reader"},
	{"oly_enc_id", "Omeda: reader"},
	{"s_kwcid", "Adobe Advertising: keyword"},
	{"ef_id", "Adobe Advertising: click"},
}

func isTracking(lowerName string) bool {
	for _, t := range tracking {
		if matches(lowerName, t.pattern) {
			return true
		}
	}
	return false
}
