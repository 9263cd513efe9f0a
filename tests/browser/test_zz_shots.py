from tests.admin.conftest import furnish
from tests.browser.conftest import PASSWORD, sign_in, with_password
from tests.browser.test_mint_in_admin import generate
from tests.till import Till, croissants_and_coffee
from kasse.models import Transaction
from pos_bridge.models import *
from apikeys.models import ApiKey
def test_shots(page, live_server, seeblick, waldrand):
    here=furnish(seeblick,"seeblick"); there=furnish(waldrand,"waldrand")
    su=with_password(username="betreiberin",is_superuser=True)
    here.admin.set_password(PASSWORD); here.admin.save()
    till=Till(here.token)
    items=[{"description":"Croissant <b>au beurre</b>","quantity":2,"unit_price":"3.50","line_total":"7.00","sku":"CR1","vat_rate":"2.6"},
           {"description":"Gasflasche 11 kg","quantity":1,"unit_price":"1245.50","line_total":"1245.50"}]
    print(till.post(croissants_and_coffee(external_ref="big", items=items,total_amount="1252.50",payment_method="MIXED",tip_amount="2.00",payments=[{"method":"CASH","amount":"1000.00"},{"method":"TWINT","amount":"252.50","tip_amount":"2.00"}])).content[:300])
    print(till.post(croissants_and_coffee(external_ref="refund", items=[{"description":"Croissant","quantity":-1,"unit_price":"3.50","line_total":"-3.50"}],total_amount="-3.50",refund_of="seeblick-T-1")).content[:100])
    till.get("/transactions/"); Till(None).get("/ping/")
    n=[0]
    def shot(name, path):
        page.goto(live_server.url+path); page.screenshot(path=f"/tmp/shots/{name}.png", full_page=True)
    for who,user in (("a",here.admin),("s",su)):
        page.context.clear_cookies(); sign_in(page, live_server, user)
        shot(who+"_index","/admin/")
        shot(who+"_tx","/admin/kasse/transaction/")
        shot(who+"_keys","/admin/apikeys/apikey/")
        shot(who+"_log","/admin/pos_bridge/inboundcall/")
    t=Transaction.objects.get(external_ref="big"); p=ParkedSale.objects.filter(tenant=seeblick).get()
    shot("tx_one",f"/admin/kasse/transaction/{t.pk}/change/")
    shot("parked",f"/admin/pos_bridge/parkedsale/")
    shot("parked_one",f"/admin/pos_bridge/parkedsale/{p.pk}/change/")
    shot("key_one",f"/admin/apikeys/apikey/{here.rows[ApiKey].pk}/change/")
    shot("call_one",f"/admin/pos_bridge/inboundcall/{InboundCall.objects.first().pk}/change/")
    shot("user_one",f"/admin/tenants/user/{here.staff.pk}/change/")
    shot("user_add",f"/admin/tenants/user/add/")
    shot("member_add",f"/admin/tenants/membership/add/")
    shot("tenant_one",f"/admin/tenants/tenant/{seeblick.pk}/change/")
    shot("product_add",f"/admin/catalogue/product/add/")
    page.goto(live_server.url+"/admin/apikeys/apikey/")
    page.locator("input[name=_selected_action]").first.check()
    page.select_option("select[name=action]","revoke_keys"); page.locator(".actions button").first.click()
    page.screenshot(path="/tmp/shots/revoke.png")
    page.goto(live_server.url+"/admin/apikeys/apikey/add/"); page.select_option("#id_tenant",label="Camping Seeblick"); page.fill("#id_name","Zettle"); page.get_by_label("pos:read").check(); page.get_by_role("button",name="Generate").click()
    page.screenshot(path="/tmp/shots/minted.png")
