//! Pages of Koha's staff client that a person is sent to. Nothing is changed by opening one: what changes something takes a form
//! of Koha's own there (from 24.05 even a checkin is not taken from an address).

use crate::{log::todo::KohaPage, settings::form::ServerUrl};

/// The address of a page, at this server.
pub fn address(server: &ServerUrl, place: KohaPage) -> String {
    let path = match place {
        KohaPage::Patron(patron) => format!("members/moremember.pl?borrowernumber={patron}"),
        KohaPage::Account(patron) => format!("members/boraccount.pl?borrowernumber={patron}"),
        KohaPage::Item { item, biblio } => {
            format!("catalogue/moredetail.pl?type=&itemnumber={item}&biblionumber={biblio}#item{item}")
        }
        KohaPage::Checkin => "circ/returns.pl".to_owned(),
    };
    server.join(&format!("/cgi-bin/koha/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_at_the_configured_server() {
        let server = ServerUrl::parse("https://koha.example.org:8443/staff").unwrap();
        let at = |place| address(&server, place);
        assert_eq!(
            at(KohaPage::Patron(7)),
            "https://koha.example.org:8443/staff/cgi-bin/koha/members/moremember.pl?borrowernumber=7"
        );
        assert!(at(KohaPage::Account(7)).ends_with("/members/boraccount.pl?borrowernumber=7"));
        assert!(
            at(KohaPage::Item { item: 3, biblio: 2 })
                .ends_with("moredetail.pl?type=&itemnumber=3&biblionumber=2#item3")
        );
        assert!(at(KohaPage::Checkin).ends_with("/cgi-bin/koha/circ/returns.pl"));
    }
}
