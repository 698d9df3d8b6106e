package audience

import "strings"

// automata are parts of the names that programs go by, in lower case. A name with one of
// them is no visitor. The list is kept short on purpose: crawlers that follow the rules say
// bot, crawl or spider; the rest are link previews and the tools scripts are written with. Who
// hides counts as a reader, as on any site that doesn't follow its readers.
var automata = []string{
	"bot/", "bot;", "bot)", "bot-", "bot ", "robot", "crawl", "spider", // Googlebot, bingbot, coccocbot-web, GPTBot …
	"slurp", "mediapartners-google", "adsbot", "feedfetcher", "google-read-aloud", "google-inspectiontool",
	"facebookexternalhit", "facebookcatalog", "whatsapp/", "skypeuripreview", "zaloshare", "vkshare", "embedly", "preview",
	"curl/", "wget/", "python-", "python/", "aiohttp", "httpx/", "scrapy", "go-http-client", "okhttp", "java/", "apache-httpclient",
	"libwww", "lwp::", "axios/", "node-fetch", "undici", "php/", "guzzle", "ruby", "perl",
	"uptime", "pingdom", "statuscake", "monitor", "nagios", "lighthouse", "pagespeed", "gtmetrix", "validator", "archiver",
}

// automated reports whether a program asked rather than a person: it gives no name or one of
// automata, says who to write to (From), or fetches ahead of a reader who may never come
// (Purpose).
func (v Visit) automated() bool {
	if v.UserAgent == "" || v.From != "" {
		return true
	}
	purpose := strings.ToLower(v.Purpose)
	if strings.Contains(purpose, "prefetch") || strings.Contains(purpose, "prerender") || strings.Contains(purpose, "preview") {
		return true
	}
	name := strings.ToLower(v.UserAgent[:min(len(v.UserAgent), agentBytes)])
	if strings.HasSuffix(name, "bot") && !strings.HasSuffix(name, "cubot") { // CUBOT makes phones
		return true
	}
	name = strings.ReplaceAll(name, "cubot", "")
	for _, part := range automata {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}
