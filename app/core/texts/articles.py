"""Articles: imports, and what keeps an article from being taken over."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.texts.entry import Entry

ENTRIES: Mapping[str, Entry] = {
    "articles-import-running": Entry(
        "Import under way",
        "Articles of this company are being imported already.",
        "Wait until the running import has ended; “Runs” shows how far it is.",
    ),
    "articles-next-page": Entry(
        "The next articles follow",
        "Articles are imported a page at a time.",
        "Nothing to do: the import goes on by itself.",
    ),
    "article-price-basis-unknown": Entry(
        "Prices with or without VAT?",
        "Nothing says whether bexio's article prices include VAT.",
        "Choose it in the settings of the bexio interface, then start the import again.",
    ),
    "article-write-may-land": Entry(
        "Waiting for Arcavis",
        "An article was sent to Arcavis without an answer; it may still arrive.",
        "Nothing to do: in a moment Arcavis is asked, and the import goes on.",
    ),
    "stock-may-land": Entry(
        "Waiting for stock in Arcavis",
        "Stock was sent to Arcavis without an answer; it may still arrive.",
        "Nothing to do: in a moment Arcavis is asked, so that no stock is set twice.",
    ),
    "next-night": Entry(
        "Waiting for the night",
        "The next import of articles begins at night.",
        "Nothing to do. To import now, start an import.",
    ),
    "article-number-missing": Entry(
        "No article number",
        "The article has no number in bexio; Arcavis knows articles by their number.",
        "Enter an internal code for the article in bexio and import again.",
    ),
    "article-number-double": Entry(
        "Number used twice",
        "Another article of bexio ({other}) has the same number; that one was taken over.",
        "Give one of the two articles another number in bexio and import again.",
    ),
    "article-number-changed": Entry(
        "Number changed",
        "The article now has the number {number} in bexio, but another one in Arcavis.",
        "Enter the same number in Arcavis, then import again. Arcavis would otherwise get the article twice.",
    ),
    "article-number-too-long": Entry(
        "Number too long",
        "Arcavis takes article numbers of up to {longest} characters.",
        "Shorten the article's internal code in bexio and import again.",
    ),
    "article-name-missing": Entry(
        "No name",
        "The article has no name in bexio.",
        "Enter a name for the article in bexio and import again.",
    ),
    "article-name-too-long": Entry(
        "Name too long",
        "Arcavis takes article names of up to {longest} characters.",
        "Shorten the article's name in bexio and import again; the description may be long.",
    ),
    "article-price-missing": Entry(
        "No price",
        "The article has no sale price in bexio; a till would sell it for nothing.",
        "Enter a sale price in bexio, 0.00 if it is free, and import again.",
    ),
    "article-currency-foreign": Entry(
        "Price in another currency",
        "The article's price in bexio is not in Swiss francs.",
        "Enter a price in CHF for the article in bexio and import again.",
    ),
    "article-tax-missing": Entry(
        "No sales VAT",
        "The article has no VAT code for sales in bexio.",
        "Choose the VAT code for sales of the article in bexio and import again.",
    ),
    "article-tax-inactive": Entry(
        "VAT code not active",
        "The article's VAT code {tax} is not active today.",
        "Choose an active VAT code for the article in bexio, or activate this one, and import again.",
    ),
    "article-tax-unknown-in-arcavis": Entry(
        "Rate unknown in Arcavis",
        "Arcavis has no active VAT rate of {rate} %.",
        "Add the rate in Arcavis under master data, or correct the article's VAT in bexio, and import again.",
    ),
    "article-unit-unknown": Entry(
        "Unit unknown in Arcavis",
        "Arcavis has no unit called “{unit}”.",
        "Add the unit in Arcavis under master data, or choose another one in bexio, and import again.",
    ),
    "article-refused": Entry(
        "Arcavis refused the article",
        "Arcavis did not take the article: {reasons}",
        "Correct the article in bexio accordingly and import again.",
    ),
    "article-stock-refused": Entry(
        "Arcavis refused the stock",
        "The article was taken over, but Arcavis did not take its stock: {reasons}",
        "Enter the article's stock in Arcavis by hand.",
    ),
    "article-outcome-unknown": Entry(
        "It is not known whether an article was written",
        "Arcavis failed each time the article, or its stock, was written; all others were taken over.",
        "Look at the article in Arcavis, also at its stock, and import again.",
    ),
    "article-stock-unread": Entry(
        "Stock in Arcavis not known",
        "Arcavis does not say whether it keeps stock of the article, so bexio's was not taken over. {reasons}",
        "Look at the article's stock in Arcavis; the next import asks again.",
    ),
    "article-deleted-in-arcavis": Entry(
        "Deleted in Arcavis",
        "Somebody deleted the article in Arcavis, or took it off the interface; it is left alone.",
        "If it is to be sold again, restore it in Arcavis. Otherwise there is nothing to do.",
    ),
    "article-gone-in-bexio": Entry(
        "Deleted in bexio",
        "The article is no longer in bexio; in Arcavis it was left as it is.",
        "If it is no longer sold, block it in Arcavis.",
    ),
    "article-prices-net": Entry(
        "Prices taken as without VAT",
        "bexio's prices were taken as without VAT; each article's VAT was added, rounded to the Rappen.",
        "If they do include VAT, say so in the settings and import again: all prices are corrected.",
    ),
    "article-prices-gross": Entry(
        "Prices taken as with VAT",
        "bexio's prices were taken as they are, with VAT.",
        "If they are without VAT, say so in the settings and import again: all prices are corrected.",
    ),
    "articles-none": Entry(
        "No articles",
        "bexio shows no articles to the connected user.",
        "If there are some, give that user the right to see all articles in bexio, and import again.",
    ),
    "articles-gone": Entry(
        "Articles deleted in bexio",
        "{count} linked articles are no longer in bexio. In Arcavis they were left as they are.",
        "Block those in Arcavis that are no longer sold; the list of links shows them as inactive.",
    ),
    "stock-right-missing": Entry(
        "Stock not shown by bexio",
        "bexio does not show stock: its module is missing, or the connection's right “stock”.",
        "To take stock over once, add the right in bexio, connect again and import. Otherwise enter it in Arcavis.",
    ),
    "stock-store-missing": Entry(
        "No store in Arcavis",
        "Arcavis has no store that stock could be put into.",
        "Add a store in Arcavis and import again.",
    ),
    "stock-would-be-taken": Entry(
        "Stock would be taken over",
        "The stock of {count} articles would be taken over, once. Main store: {store}.",
        "Correct stock in bexio before the import: afterwards Arcavis counts it.",
    ),
    "stock-taken": Entry(
        "Stock taken over",
        "The stock of {count} articles was taken over, once. Main store: {store}.",
        "Keep stock in Arcavis from now on: it is never taken from bexio again.",
    ),
    "stock-kept-by-arcavis": Entry(
        "Arcavis keeps its own stock",
        "Arcavis had stock of {count} articles already, or it moved meanwhile; it was left alone.",
        "Compare these in Arcavis and correct them there where needed.",
    ),
    "stock-refused": Entry(
        "Stock refused by Arcavis",
        "Arcavis did not take the stock of {count} articles.",
        "Enter their stock in Arcavis by hand; it is not tried again.",
    ),
    "stock-left-alone": Entry(
        "Stock left alone",
        "The stock of {count} articles was left alone: it was decided once, and since then Arcavis counts it.",
        "Nothing to do. Correct stock in Arcavis.",
    ),
    "problems-not-all-listed": Entry(
        "More problems than listed",
        "The first {listed} of {total} problems are listed.",
        "Mend these and import again: the next ones are listed then.",
    ),
    "articles-with-problems": Entry(
        "Articles not taken over",
        "{count} articles of bexio could not be taken over into Arcavis.",
        "The latest article import lists them, each with what to do.",
    ),
    "article-prices-differ": Entry(
        "Prices meant otherwise than on invoices",
        "The setting says of bexio's article prices the opposite of what bexio does on its invoices.",
        "Check one article: if its price in Arcavis is wrong, change the setting and import again.",
    ),
}
